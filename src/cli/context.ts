import type { Readable } from "node:stream";

import type { Home } from "../protocol/home.ts";

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

/** All that a run of the command line knows of the world around it. */
export type Context = {
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
  readonly serve?: (version: string) => Promise<number>;
  /** Does work on this home while no server keeps it. */
  readonly alone?: <T>(work: () => Promise<T>) => Promise<T>;
  /** Runs work that has the terminal: what the person stops is that, not us. */
  readonly shielded?: <T>(work: () => Promise<T>) => Promise<T>;
};
