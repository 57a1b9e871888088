import type { Readable } from "node:stream";

import type { Home } from "../../protocol/home.ts";

/** Where text goes. */
export type Writer = {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  /** Of the terminal, now; infinite where the text goes elsewhere. */
  readonly columns: number;
  /** Lines of the terminal, now; absent where nobody knows. */
  readonly rows?: number | undefined;
};

/** Where text comes from; opened only by a command that reads it. */
export type Input = { readonly isTerminal: boolean; open(): Readable };

/** What `ramet serve --listen` says. */
export type ListenRequest = {
  readonly address: string;
  /** null: nothing covers what is sent. */
  readonly cover:
    | { readonly kind: "tls"; readonly certificate: string; readonly key: string }
    | { readonly kind: "proxy"; readonly url: URL }
    | null;
  /** Whether it may listen beyond this machine without TLS. */
  readonly trustsNetwork: boolean;
};

/** Whom a server's certificate is believed by; both null: the authorities that Node knows. */
export type Trust = {
  /** PEM of an authority of one's own. */
  readonly authority: string | null;
  /** PEM of the server's own certificate: this one and no other. */
  readonly pinned: string | null;
};

/** Leads to servers by CONNECT; it is shown where they are, and nothing of what is said to them. */
export type Proxy = {
  /** `http://HOST:PORT`, or https: all of it that is ever shown to anyone. */
  readonly origin: string;
  /** A `Proxy-Authorization` header, for the proxy alone. */
  readonly authorization: string | null;
};

/** A server that is not this machine's own, and what it is shown. */
export type RemoteServer = {
  /** Scheme, host and port: nothing else ever gets the token. */
  readonly url: string;
  readonly token: string;
  readonly trust: Trust;
  /** The way there; absent: directly. */
  readonly proxy?: Proxy | undefined;
};

/** All that a run of the command line knows of the world around it. */
export type Context = {
  /** The server that commands are for; absent: this machine's own. */
  readonly remote?: RemoteServer | undefined;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: Input;
  readonly stdout: Writer;
  readonly stderr: Writer;
  /** Aborted when the person wants to stop. */
  readonly signal?: AbortSignal;
  readonly home: Home;
  /** How to start this program again; arguments are appended. */
  readonly program: readonly string[];
  /** null where the system has no user ids. */
  readonly uid: number | null;
  /** Runs the server in this process, until it ends. */
  readonly serve?: (version: string, listen?: ListenRequest) => Promise<number>;
  /** Does work on this home while no server keeps it. */
  readonly alone?: <T>(work: () => Promise<T>) => Promise<T>;
  /** Runs work that has the terminal: what the person stops is that, not us. */
  readonly shielded?: <T>(work: () => Promise<T>) => Promise<T>;
};
