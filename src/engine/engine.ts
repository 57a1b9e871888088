/** Where environments live: this machine. Makes, forks, wakes, rests and removes them, and takes up what an earlier server left running. */
import { monotonicMs } from "../base/clock.ts";
import type { Clock } from "../base/clock.ts";
import { KeyedLock } from "../base/keyed-lock.ts";
import { findNearest } from "../base/nearest.ts";
import { messageOf } from "../base/problem.ts";
import { installPostgres } from "../database/database.ts";
import type { EnvironmentId } from "../environment/environment.ts";
import { DEVELOPMENT } from "../environment/name.ts";
import type { AppName } from "../environment/name.ts";
import {
  appTaken,
  appUnknown,
  developmentNeeded,
  environmentTaken,
  environmentUnknown,
} from "../environment/problems.ts";
import type { EngineContext } from "./context.ts";
import { bringUp, buildPlanned, planEnvironment } from "./creation.ts";
import type { CallOptions, CreateRequest, Timings } from "./creation.ts";
import { createEnvironmentId, Layout, makeHome } from "./layout.ts";
import type { EngineHome } from "./layout.ts";
import { listLeftovers, mendLeftovers } from "./leftovers.ts";
import type { Leftover } from "./leftovers.ts";
import { LiveEnvironment } from "./live-environment.ts";
import { createLocalParts } from "./local-parts.ts";
import { listChangeSteps, prepareEnvironment } from "./preparation.ts";
import type { Listeners } from "./process-plans.ts";
import { makeReachable, releaseReach } from "./reach.ts";
import { readApps, readRecords, removeApp, writeApp } from "./records.ts";
import type { AppRecord } from "./records.ts";
import { ownTree } from "./users.ts";
import { describeDraft, describeEnvironment } from "./view.ts";
import type { Environment } from "./view.ts";

export type EngineOptions = {
  readonly home: Pick<EngineHome, "folder" | "sockets" | "id">;
  readonly clock: Clock;
  readonly keeperProgram: readonly string[];
  readonly inherited: Readonly<Record<string, string>>;
  readonly listeners: () => Listeners;
  readonly log: (text: string) => void;
  readonly checkpoint?: (step: string) => Promise<void> | void;
};

export type Created = { readonly environment: Environment; readonly timings: Timings };
export type App = {
  readonly name: string;
  readonly environments: string[];
  readonly createdAt: string;
};

/** How often a database that ended by itself is looked for. */
const MEND_EVERY_MS = 1_000;
const CLEARING_LIMIT_MS = 30_000;

/**
 * Opens the engine of a home: sweeps what has no record, takes up what runs.
 * @throws `record_unreadable`, `postgres_missing`
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const layout = new Layout({ ...options.home, ...(await makeReachable(options.home)) });
  await makeHome(layout);
  const postgres = installPostgres({
    folder: layout.postgres,
    templates: layout.templates,
    uid: null,
  });
  // Whoever makes or wakes a database awaits it and meets its failure; a server without one can still start.
  postgres.catch((error: unknown) =>
    options.log(`PostgreSQL cannot be set up: ${messageOf(error)}`),
  );
  const context: EngineContext = {
    layout,
    postgres: async () => postgres,
    locks: new KeyedLock(),
    keepers: new Map(),
    checkpoint: options.checkpoint ?? (() => undefined),
    ...options,
  };
  const engine = new Engine(context);
  await engine.takeUp();
  return engine;
}

export class Engine {
  readonly #context: EngineContext;
  readonly #environments = new Map<EnvironmentId, LiveEnvironment>();
  readonly #apps = new Map<AppName, AppRecord>();
  readonly #making = new Map<
    EnvironmentId,
    Parameters<typeof describeDraft>[0] & { readonly uid: number | null }
  >();
  readonly #clearing = new Map<EnvironmentId, Promise<void>>();
  #mending: NodeJS.Timeout | undefined;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  get layout(): Layout {
    return this.#context.layout;
  }

  /** Reads the records, adopts what they own, ends and removes the rest. */
  async takeUp(): Promise<void> {
    for (const app of await readApps(this.layout)) this.#apps.set(app.name, app);
    for (const record of await readRecords(this.layout)) {
      this.#environments.set(record.id, new LiveEnvironment(this.#context, record));
    }
    const busy = new Set(this.#environments.keys());
    await mendLeftovers(
      this.#context,
      await listLeftovers(this.#context, { environments: this.list(null), busy }),
    );
    await Promise.all([...this.#environments.values()].map(async (live) => live.adopt()));
    for (const app of this.#apps.keys())
      if (this.list(app).length === 0) await this.#forgetApp(app);
    this.#mending = setInterval(() => void this.#mendDatabases(), MEND_EVERY_MS).unref();
  }

  /** Of one app or of all, in the order in which they were made. */
  list(app: AppName | null): readonly LiveEnvironment[] {
    return [...this.#environments.values()]
      .filter(({ record }) => app === null || record.app === app)
      .toSorted((a, b) => a.record.createdAt.localeCompare(b.record.createdAt));
  }

  find(app: string, name: string): LiveEnvironment | undefined {
    return this.list(null).find(({ record }) => record.app === app && record.name === name);
  }

  findById(id: string): LiveEnvironment | undefined {
    return this.list(null).find(({ record }) => record.id === id);
  }

  /** @throws `app_unknown`, `environment_unknown`, with the nearest name. */
  require(app: string, name: string): LiveEnvironment {
    const known = this.requireApp(app);
    const live = this.find(known, name);
    if (live !== undefined) return live;
    throw environmentUnknown(
      known,
      name,
      findNearest(
        name,
        this.list(known).map(({ record }) => record.name),
      ),
    );
  }

  /** @throws `app_unknown` */
  requireApp(app: string): AppName {
    const known = [...this.#apps.keys()].find((name) => name === app);
    if (known === undefined) throw appUnknown(app, findNearest(app, this.#apps.keys()));
    return known;
  }

  apps(): readonly App[] {
    return [...this.#apps.values()].map(({ name, createdAt }) => ({
      name,
      createdAt,
      environments: this.list(name).map(({ record }) => record.name),
    }));
  }

  async describe(live: LiveEnvironment): Promise<Environment> {
    const others = this.list(null).filter(
      (other) => other !== live && other.record.files.path === live.record.files.path,
    );
    const { gatewayPort } = this.#context.listeners();
    return describeEnvironment(live, {
      gatewayPort,
      others: others.map(({ record }) => record.name),
    });
  }

  /** With those that are still being built. */
  async describeAll(app: AppName | null): Promise<readonly Environment[]> {
    const there = await Promise.all(this.list(app).map(async (live) => this.describe(live)));
    const making = [...this.#making.values()].filter((draft) => app === null || draft.app === app);
    return [...there, ...making.map((draft) => describeDraft(draft))];
  }

  /** Makes the app and its environment `development`, linked to the folder. In the same folder again: wakes it. */
  async createApp(
    {
      name,
      folder,
      searchPath,
    }: { readonly name: AppName; readonly folder: string; readonly searchPath: string },
    options: CallOptions,
  ): Promise<Created> {
    const known = this.#apps.get(name);
    if (known !== undefined) return this.#resume(known, folder, options);
    const app = { name, folder, createdAt: new Date(this.#context.clock.now()).toISOString() };
    this.#apps.set(name, app);
    try {
      await writeApp(this.layout, app);
      const files = { kind: "linked", path: folder } as const;
      return await this.create(
        { app: name, name: DEVELOPMENT, source: null, files, searchPath },
        options,
      );
    } finally {
      if (this.list(name).length === 0) await this.#forgetApp(name);
    }
  }

  /** Builds, sets up and starts an environment. A name that is taken, also by one being made, is a problem. */
  async create(request: CreateRequest, options: CallOptions): Promise<Created> {
    const began = monotonicMs();
    const { live, timings } = await this.#build(request, options);
    const runtime = await bringUp(this.#context, live, options);
    const total = Math.round(monotonicMs() - began);
    return { environment: await this.describe(live), timings: { ...timings, runtime, total } };
  }

  /** Starts it; what is left of a broken or interrupted preparation is done first. */
  async start(live: LiveEnvironment, options: CallOptions): Promise<void> {
    const { kind } = live.record.state;
    if (kind === "broken" || kind === "preparing") await bringUp(this.#context, live, options);
    else await live.wake();
    await live.settled({ timeoutMs: 120_000, signal: options.signal });
  }

  /** Its kept files were replaced: what that asks for is run, and processes that do not reload by themselves are restarted. */
  async filesChanged(live: LiveEnvironment, options: CallOptions): Promise<void> {
    const manifest = await live.manifest();
    await ownTree(live.record);
    await live.save({ remaining: await listChangeSteps(live.record, manifest) });
    await prepareEnvironment(this.#context, live, options);
    await live.refresh();
    const names = Object.keys(manifest.processes).filter(
      (name) => manifest.processes[name]?.reloads === false,
    );
    if (live.state() === "awake")
      await Promise.all(names.map(async (name) => live.restartProcess(name)));
  }

  /** Resolves once it is not there any more; its processes and folders are cleared behind it. */
  async delete(live: LiveEnvironment): Promise<void> {
    const { record } = live;
    const others = this.list(record.app).filter((other) => other !== live);
    if (record.name === DEVELOPMENT && others.length > 0) {
      throw developmentNeeded(
        record.app,
        others.map((other) => other.record.name),
      );
    }
    await this.#remove(live);
    if (others.length === 0) await this.#forgetApp(record.app);
  }

  async deleteApp(app: AppName): Promise<readonly string[]> {
    const environments = this.list(app);
    for (const live of environments.toReversed()) await this.#remove(live);
    await this.#forgetApp(app);
    return environments.map(({ record }) => record.name);
  }

  /** Leftovers that nothing is about to clear. */
  async leftovers(): Promise<readonly Leftover[]> {
    await this.cleared();
    return this.#findLeftovers();
  }

  async fix(leftovers: readonly Leftover[]): Promise<void> {
    await mendLeftovers(this.#context, leftovers);
  }

  /** Ends every environment's processes and database. Resolves with how many ran. */
  async stopAll(): Promise<number> {
    clearInterval(this.#mending);
    const running = this.list(null).filter((live) => live.state() === "awake" || live.isWaking());
    await Promise.all(running.map(async (live) => live.sleep()));
    await this.cleared();
    await releaseReach(this.layout.home, this.layout.home);
    return running.length;
  }

  /** The server leaves; environments go on. */
  async close(): Promise<void> {
    clearInterval(this.#mending);
    for (const live of this.list(null)) live.disconnect();
    await this.cleared();
  }

  /** Waits until what was deleted has been cleared. */
  async cleared(): Promise<void> {
    const limit = AbortSignal.timeout(CLEARING_LIMIT_MS);
    const passed = new Promise((resolve) =>
      limit.addEventListener("abort", resolve, { once: true }),
    );
    await Promise.race([Promise.allSettled(this.#clearing.values()), passed]);
  }

  async #resume(app: AppRecord, folder: string, options: CallOptions): Promise<Created> {
    const development = this.find(app.name, DEVELOPMENT);
    if (development === undefined || app.folder !== folder) throw appTaken(app.name, app.folder);
    const began = monotonicMs();
    await this.start(development, options);
    const total = Math.round(monotonicMs() - began);
    return {
      environment: await this.describe(development),
      timings: { files: 0, database: 0, runtime: total, total },
    };
  }

  async #build(
    request: CreateRequest,
    options: CallOptions,
  ): Promise<Awaited<ReturnType<typeof buildPlanned>>> {
    const reservation = createEnvironmentId();
    this.#assertFree(request);
    const placeholder = { ...request, id: reservation, parent: null, createdAt: "", uid: null };
    this.#making.set(reservation, {
      ...placeholder,
      files: { kind: request.files.kind, path: "" },
    });
    try {
      const planned = await planEnvironment(this.#context, request, this.#usedUids());
      this.#making.set(planned.draft.id, planned.draft);
      this.#making.delete(reservation);
      try {
        const built = await buildPlanned(this.#context, request, { ...planned, options });
        this.#environments.set(planned.draft.id, built.live);
        return built;
      } finally {
        this.#making.delete(planned.draft.id);
      }
    } finally {
      this.#making.delete(reservation);
    }
  }

  #assertFree({ app, name }: CreateRequest): void {
    const isMaking = [...this.#making.values()].some(
      (draft) => draft.app === app && draft.name === name,
    );
    if (isMaking || this.find(app, name) !== undefined) throw environmentTaken(app, name);
  }

  #usedUids(): readonly number[] {
    const uids = [
      ...this.list(null).map(({ record }) => record.uid),
      ...[...this.#making.values()].map(({ uid }) => uid),
    ];
    return uids.filter((uid) => uid !== null);
  }

  async #remove(live: LiveEnvironment): Promise<void> {
    const { record } = live;
    const parts = createLocalParts(this.#context, {
      source: null,
      manifest: null,
      maskSql: null,
      user: null,
    });
    await parts.removeRecord(record);
    this.#environments.delete(record.id);
    const clearing = live
      .end()
      .then(async () => parts.clear(record.id))
      .catch((error: unknown) =>
        this.#context.log(`${record.id} could not be cleared: ${messageOf(error)}`),
      )
      .finally(() => this.#clearing.delete(record.id));
    this.#clearing.set(record.id, clearing);
  }

  async #forgetApp(app: AppName): Promise<void> {
    await removeApp(this.layout, app);
    this.#apps.delete(app);
  }

  async #findLeftovers(): Promise<readonly Leftover[]> {
    const busy = [...this.#making.keys(), ...this.#clearing.keys()];
    return listLeftovers(this.#context, { environments: this.list(null), busy: new Set(busy) });
  }

  async #mendDatabases(): Promise<void> {
    for (const live of this.list(null)) {
      try {
        if (await live.mendDatabase()) live.note("its database had ended and was started again.");
      } catch (error) {
        live.note(messageOf(error));
      }
    }
  }
}
