import { realpath } from "node:fs/promises";
import path from "node:path";

import { isoTime, monotonicMs } from "../../base/clock.ts";
import { explainDiskFull } from "../../base/disk-full.ts";
import { exists } from "../../base/remove-inside.ts";
import { traced } from "../../base/trace.ts";
import { buildEnvironment, timed } from "../../environment/create.ts";
import type {
  EnvironmentRecord,
  FilesRecord,
  ForkData,
  Report,
} from "../../environment/environment.ts";
import type { Manifest } from "../../environment/manifest.ts";
import type { AppName, EnvironmentName } from "../../environment/name.ts";
import type { Draft, PartTimings } from "../../environment/parts.ts";
import { sourceBroken, sourceUnfinished } from "../../environment/problems.ts";
import type { PlaceReady } from "../../files/files.ts";
import { findManifest } from "../../manifest/manifest.ts";
import { createEnvironmentId } from "../home/layout.ts";
import { notAFolder } from "../home/problems.ts";
import { findProcessUser } from "../home/users.ts";
import { LiveEnvironment } from "../live/live-environment.ts";
import type { EngineContext } from "../machine/context.ts";
import { createLocalParts } from "../parts/local-parts.ts";
import type { Making } from "../parts/local-parts.ts";
import { findMissingMigrations } from "../parts/missing-migrations.ts";
import { prepareEnvironment } from "../parts/preparation.ts";
import { isFolder, RAMET_FILE, readMask, requireManifest } from "../processes/manifests.ts";
import { assignPorts } from "../processes/runtime-planning.ts";
import type { SpareOffer } from "../spares/spare-offer.ts";
import type { Identity } from "../standbys/standbys.ts";
import type { Made } from "./timings.ts";

export type CreateRequest = {
  readonly app: AppName;
  readonly name: EnvironmentName;
  /** null: the app's first environment, made from nothing but its files. */
  readonly source: LiveEnvironment | null;
  readonly files: { readonly kind: "linked"; readonly path: string } | { readonly kind: "kept" };
  readonly searchPath: string;
  /** What its database is to have of its source's; left open, the manifest says it. */
  readonly data?: ForkData | null;
  /** The folder of the PostgreSQL that an app's first database is to run on; left open, it is the server's to say. */
  readonly postgresBin?: string | null;
};

/** For an app's first environment, linked to the folder. */
export type AppRequest = Pick<CreateRequest, "searchPath" | "postgresBin"> & {
  readonly name: AppName;
  readonly folder: string;
};

export type CallOptions = { readonly report: Report; readonly signal: AbortSignal };

/** How long a create waits for its processes to be ready or to fail; they go on after it. */
const SETTLE_LIMIT_MS = 120_000;

/** Plans an environment: what it will be, before anything is made. @throws a problem when it cannot be. */
export async function planEnvironment(
  context: EngineContext,
  request: CreateRequest,
  identify: (hasRows: boolean) => Identity,
): Promise<Planned> {
  const { app, name, searchPath } = request;
  const source = request.source?.record ?? null;
  if (source !== null) assertWhole(source);
  const treeFolder = await findTree(request);
  const manifest = await chooseManifest(treeFolder, source);
  const ports = await assignPorts(context, planIdentity(request, treeFolder), manifest);
  // Last: nothing that was claimed for it is to be given back because the plan cannot be.
  const data = request.data ?? manifest.database?.data ?? "all";
  const { standby, ...identity } = identify(manifest.database !== null && data !== "none");
  const origin =
    source === null ? FROM_NOTHING : { parent: source.name, setupStamp: source.setupStamp };
  const draft: Draft = {
    ...identity,
    app,
    name,
    ...origin,
    createdAt: isoTime(context.clock),
    files: planFiles(context, request, { id: identity.id, treeFolder }),
    ports,
    searchPath,
    data,
  };
  return { draft, manifest, treeFolder, standby };
}

/** As far as it decides how its processes are kept apart; its own uid can do what any other can. */
function planIdentity(
  { name, files: { kind } }: CreateRequest,
  treeFolder: string,
): Parameters<typeof assignPorts>[1] {
  const files = { kind, path: treeFolder };
  return { id: createEnvironmentId(), uid: null, files, name, ports: {} };
}

export type Planned = {
  readonly draft: Draft;
  readonly manifest: Manifest;
  readonly treeFolder: string;
  readonly standby: Identity["standby"];
};

/** @throws `source_broken`, `source_unfinished` */
export function assertWhole({ name, state }: EnvironmentRecord): void {
  if (state.kind === "broken") throw sourceBroken(name, state.problem.message);
  if (state.kind === "preparing") throw sourceUnfinished(name);
}

const FROM_NOTHING = { parent: null, setupStamp: null };

export type Building = Planned & {
  readonly offer: SpareOffer | undefined;
  readonly options: CallOptions;
};

export type Built = Omit<Made, "timings"> & { readonly timings: PartTimings };

/** Builds what was planned, up to its commit. */
export async function buildPlanned(
  context: EngineContext,
  request: CreateRequest,
  { draft, manifest, treeFolder, standby, offer, options }: Building,
): Promise<Built> {
  const maskSql = request.source === null ? null : await readMask(treeFolder, manifest);
  const user = await findProcessUser(context.layout, draft);
  const { source, postgresBin = null } = request;
  const { report } = options;
  const making = {
    source,
    manifest,
    treeFolder,
    maskSql,
    user,
    postgresBin,
    report,
    standby,
    ready: source === null ? undefined : begin(offer, { source, draft, manifest, user }),
  };
  const parts = createLocalParts(context, making);
  const building = buildEnvironment(draft, parts, { ...options, clock: monotonicMs });
  const { record, ...others } = await building.catch((error: unknown) => {
    throw explainDiskFull(error, context.layout.data);
  });
  return { live: new LiveEnvironment(context, record), ...others };
}

type Taking = Pick<Making, "manifest" | "user"> & {
  readonly source: LiveEnvironment;
  readonly draft: Draft;
};

function begin(
  offer: SpareOffer | undefined,
  { source, draft, manifest, user }: Taking,
): PlaceReady | undefined {
  const { kind, path: target } = draft.files;
  const { clone } = manifest.files;
  return offer?.begin({ kind, source: source.record.files.path, target, user, clone });
}

export async function bringUpBuilt(
  context: EngineContext,
  built: Built,
  options: CallOptions,
): Promise<Made> {
  const runtime = await bringUp(context, built.live, options);
  return { ...built, timings: { ...built.timings, runtime } };
}

/** Sets up, migrates, seeds, starts, and waits until its processes are ready or have failed. */
export async function bringUp(
  context: EngineContext,
  live: LiveEnvironment,
  options: CallOptions,
): Promise<number> {
  if (!isPrepared(live.record))
    await traced("preparation", async () => prepareEnvironment(context, live, options));
  const { ms } = await timed(
    "runtime",
    { report: options.report, clock: monotonicMs },
    async () => {
      await traced("wake", async () => live.wake());
      const [missing] = await Promise.all([
        traced("migrations are compared", async () => findMissingMigrations(live)),
        traced("processes get ready", async () =>
          live.settled({ timeoutMs: SETTLE_LIMIT_MS, signal: options.signal }),
        ),
      ]);
      if (missing.length > 0 || live.record.missingMigrations.length > 0)
        await live.save({ missingMigrations: missing });
      return { detail: "" };
    },
  );
  return ms;
}

/** One that needs nothing run, set up as its source was or as it was before; its wake writes that it is awake. */
function isPrepared({ state, remaining, setupStamp }: EnvironmentRecord): boolean {
  const isWhole = state.kind === "preparing" || state.kind === "asleep";
  return isWhole && remaining.length === 0 && setupStamp !== null;
}

/** What a fork keeps is filled from its source's tree. */
async function findTree({ files, source }: CreateRequest): Promise<string> {
  if (files.kind === "kept" && source !== null) return source.record.files.path;
  if (files.kind === "kept") throw new Error("An app's first environment runs on a folder.");
  if (!(await isFolder(files.path))) throw notAFolder(files.path);
  return realpath(files.path);
}

function planFiles(
  { layout }: EngineContext,
  { files }: CreateRequest,
  { id, treeFolder }: { readonly id: EnvironmentRecord["id"]; readonly treeFolder: string },
): FilesRecord {
  const { kind } = files;
  return { kind, path: kind === "kept" ? layout.files(id) : treeFolder };
}

/**
 * A worktree of a commit that had no ramet.json yet gets its source's along with the files; only without either it is
 * found out how the app runs, which may end in a question that the source's has answered.
 */
async function chooseManifest(folder: string, source: EnvironmentRecord | null): Promise<Manifest> {
  const hasOwn = await exists(path.join(folder, RAMET_FILE));
  if (source === null || hasOwn) return requireManifest(folder);
  const parent = await requireManifest(source.files.path);
  if (parent.source !== RAMET_FILE) return (await findManifest(folder)) ?? parent;
  return { ...parent, files: { clone: [...parent.files.clone, RAMET_FILE] } };
}
