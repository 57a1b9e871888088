import type { Home } from "../../protocol/home.ts";
import type { RemoteServer } from "../terminal/context.ts";

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
