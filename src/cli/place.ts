import type { Home } from "../protocol/home.ts";

/** Whom a server's certificate is believed by; both null: the authorities that Node knows. */
export type Trust = {
  /** PEM of an authority of one's own. */
  readonly authority: string | null;
  /** PEM of the server's own certificate: this one and no other. */
  readonly pinned: string | null;
};

/** A server that is not this machine's own, and what it is shown. */
export type RemoteServer = {
  /** Scheme, host and port: nothing else ever gets the token. */
  readonly url: string;
  readonly token: string;
  readonly trust: Trust;
};

/** Where calls go: the sockets of a home of this machine, or a server elsewhere. */
export type Place = Home | RemoteServer;

/** `remote` absent: this machine's own server is meant. */
type Places = { readonly home: Home; readonly remote?: RemoteServer | undefined };

export function placeOf({ home, remote }: Places): Place {
  return remote ?? home;
}

/** What a binding names the server by. */
export function placeIdOf({ home, remote }: Places): string {
  return remote?.url ?? home.folder;
}
