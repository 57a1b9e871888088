import { allows, reaches } from "../../access/access.ts";
import type { Grant, Need } from "../../access/access.ts";

/** Who asks: the server's owner by its unix socket, who may do everything; or someone from afar with a token. */
export type Caller = { readonly kind: "owner" } | TokenCaller;

export type TokenCaller = {
  readonly kind: "token";
  readonly grant: Grant;
  /** Where they call from, as far as the connection says it. */
  readonly address: string | null;
};

export const OWNER: Caller = { kind: "owner" };

export function mayDo(caller: Caller, need: Need): boolean {
  return caller.kind === "owner" || allows(caller.grant.token, need);
}

/** Whether what is of this app is for them to see. */
export function mayReach(caller: Caller, app: string): boolean {
  return caller.kind === "owner" || reaches(caller.grant.token, app);
}
