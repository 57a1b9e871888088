import { createEnvironmentId } from "../home/layout.ts";
import { chooseUid } from "../home/users.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { Registry } from "../live/registry.ts";
import type { Identity, Standbys } from "../standbys/standbys.ts";
import type { Drafts } from "./drafts.ts";

type Known = {
  readonly registry: Registry;
  readonly drafts: Drafts;
  readonly standbys: Standbys;
  /** What was deleted, and still has processes or files. */
  readonly clearing: { uids(): readonly number[] };
};

/** A fork whose source has a standby becomes what that was made for. `source`: whose rows it is to have, if any. */
export function identify(known: Known, source: LiveEnvironment | null): Identity {
  const claim = source === null ? undefined : known.standbys.claim(source);
  if (claim?.kind === "ready") return { id: claim.id, uid: claim.uid, standby: "ready" };
  const uid = chooseUid(listUsedUids(known));
  return { id: createEnvironmentId(), uid, standby: claim?.kind ?? null };
}

/** Of environments that are there or not yet gone, of those that are being made, and of those to be. */
export function listUsedUids({ registry, drafts, standbys, clearing }: Known): readonly number[] {
  const uids = registry.list(null).flatMap(({ record }) => record.uid ?? []);
  return [...uids, ...clearing.uids(), ...drafts.uids(), ...standbys.uids()];
}
