import type { EnvironmentId } from "../../environment/environment.ts";
import { createEnvironmentId } from "../home/layout.ts";
import { chooseUid } from "../home/users.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { Registry } from "../live/registry.ts";
import type { Spares } from "../spares/spares.ts";
import type { Identity, Standbys } from "../standbys/standbys.ts";
import type { Drafts } from "./drafts.ts";

export type Known = {
  readonly registry: Registry;
  readonly drafts: Drafts;
  readonly standbys: Standbys;
  readonly spares: Spares;
  /** What was deleted, and still has processes or files. */
  readonly clearing: { uids(): readonly number[] };
};

/** What a new environment is to be: of which source, whether with its rows, and with files of its own. */
export type Wanted = {
  readonly source: LiveEnvironment | null;
  readonly hasRows: boolean;
  readonly keepsFiles: boolean;
};

export const NOBODYS_FORK: Wanted = { source: null, hasRows: false, keepsFiles: false };

/** A fork whose source has a standby becomes what that was made for; and the user that a spare copy is given to, where it can. */
export function identify(known: Known, { source, hasRows, keepsFiles }: Wanted): Identity {
  const claim = source === null || !hasRows ? undefined : known.standbys.claim(source);
  if (claim?.kind === "ready") return { id: claim.id, uid: claim.uid, standby: "ready" };
  const ahead = source === null || !keepsFiles ? [] : known.spares.uidsAhead(source.record.id);
  const uid = chooseFree(known, ahead, [...listTaken(known), ...known.standbys.uids()]);
  return { id: createEnvironmentId(), uid, standby: claim?.kind ?? null };
}

/** For a standby that is to be built: the user that its source's spare copies are given to already, where it can. */
export function chooseStandbyUid(known: Known, source: EnvironmentId): number | null {
  const taken = [...listTaken(known), ...known.standbys.uids()];
  return chooseFree(known, known.spares.uidsAhead(source), taken);
}

/** For a spare copy that is to be made: the user of what waits already for the next fork of its source, if anything does. */
export function chooseSpareUid(known: Known, source: EnvironmentId): number | null {
  const ahead = [...known.standbys.uidsAhead(source), ...known.spares.uidsAhead(source)];
  return chooseFree(known, ahead, listTaken(known));
}

/** The first of those that were given away ahead and that nobody has; else one that is new. */
function chooseFree(
  known: Known,
  ahead: readonly number[],
  taken: readonly number[],
): number | null {
  const free = ahead.find((uid) => !taken.includes(uid));
  return free ?? chooseUid([...taken, ...known.standbys.uids(), ...known.spares.uids()]);
}

/** Of environments that are there or not yet gone, and of those that are being made. */
function listTaken({ registry, drafts, clearing }: Known): readonly number[] {
  const uids = registry.list(null).flatMap(({ record }) => record.uid ?? []);
  return [...uids, ...clearing.uids(), ...drafts.uids()];
}
