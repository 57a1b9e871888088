import { monotonicMs } from "../../base/clock.ts";
import { removeInside } from "../../base/remove-inside.ts";
import { traced } from "../../base/trace.ts";
import { moveDatabase, stopDatabase } from "../../database/database.ts";
import { timed } from "../../environment/create.ts";
import type { DatabaseFork, DatabaseRecord } from "../../environment/environment.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { databaseAbsent } from "../../environment/problems.ts";
import { makeSocketFolder } from "../home/layout.ts";
import { useUpStandby } from "../home/standby-file.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { EngineContext } from "../machine/context.ts";
import { forkData } from "../parts/fork-data.ts";
import { clearEnvironment } from "../parts/local-parts.ts";
import { readMask } from "../processes/manifests.ts";
import type { Claim, Standbys } from "../standbys/standbys.ts";
import type { CallOptions } from "./creation.ts";

export type Resetting = {
  readonly context: EngineContext;
  readonly live: LiveEnvironment;
  readonly options: CallOptions;
  readonly standbys: Pick<Standbys, "claim" | "settle">;
};

/** How the new database was made, and in how many milliseconds. */
export type Replaced = { readonly fork: DatabaseFork | null; readonly ms: number };
export type Replacement = Replaced & { readonly database: DatabaseRecord };

type Bring = (place: DatabasePlace, standby: Claim["kind"] | null) => Promise<Replacement>;

/**
 * A fork of the source's database that lies, at rest, where the environment has its database of this number. It has the
 * old one's passwords: addresses that were written down stay good.
 */
export async function makeReplacement(
  resetting: Resetting,
  source: LiveEnvironment,
  generation: number,
): Promise<Replacement> {
  const { context, live, standbys } = resetting;
  const { record } = live;
  const manifest = await live.manifest();
  const place = context.layout.resetPlace({ ...record, generation }, manifest.grants.limits);
  const bring = await prepareBring(resetting, source);
  await context.checkpoint("before replacement");
  const claim = record.data === "none" ? undefined : standbys.claim(source);
  try {
    if (claim?.kind === "ready") return await makeInStandby(resetting, { claim, place, bring });
    return await makeBeside(context, { place, bring, standby: claim?.kind ?? null });
  } finally {
    await context.checkpoint("after replacement");
  }
}

/** Whatever keeps it from being made shows before anything is. */
async function prepareBring(
  { context, live, options }: Resetting,
  source: LiveEnvironment,
): Promise<Bring> {
  const { record } = live;
  const { database: passwords, data } = record;
  if (passwords === null) throw databaseAbsent(record.name);
  const manifest = await live.manifest();
  const treeFolder = record.files.path;
  const maskSql = await readMask(treeFolder, manifest);
  const { report } = options;
  const { extensions } = manifest.grants;
  const wanted = { data, maskSql, extensions, treeFolder, report, passwords };
  return async (place, standby) => {
    const { outcome, ms } = await timed("database", { ...options, clock: monotonicMs }, async () =>
      forkData(context, source, { ...wanted, place, standby }),
    );
    if (outcome.record === null) throw databaseAbsent(source.record.name);
    return { database: outcome.record, fork: outcome.fork, ms };
  };
}

/** Promoted where it is, it is moved when it is at rest; what is left of the standby goes, whatever becomes of it. */
async function makeInStandby(
  { context, standbys }: Resetting,
  {
    claim,
    place,
    bring,
  }: {
    readonly claim: Extract<Claim, { kind: "ready" }>;
    readonly place: DatabasePlace;
    readonly bring: Bring;
  },
): Promise<Replacement> {
  const { layout, checkpoint } = context;
  const there = layout.databasePlace(claim, place.limits);
  try {
    await useUpStandby(layout, claim.id);
    const made = await bring(there, "ready");
    await stopDatabase(there);
    await checkpoint("before move");
    await traced("move", async () => moveDatabase(there, place));
    await checkpoint("after move");
    return made;
  } finally {
    await clearEnvironment(context, claim.id);
    await standbys.settle(claim.id);
  }
}

async function makeBeside(
  { layout }: EngineContext,
  {
    place,
    bring,
    standby,
  }: {
    readonly place: DatabasePlace;
    readonly bring: Bring;
    readonly standby: Claim["kind"] | null;
  },
): Promise<Replacement> {
  try {
    await makeSocketFolder(place.socketFolder, place.uid);
    return await bring(place, standby);
  } finally {
    await stopDatabase(place);
    await removeInside(layout.home.sockets, place.socketFolder);
  }
}
