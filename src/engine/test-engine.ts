/** For tests: an engine of real parts in a temporary home, apps for it, and an end that leaves nothing. */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { systemClock, waitFor } from "../base/clock.ts";
import { removeInside } from "../base/remove-inside.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { queryDatabase, supplyPostgres } from "../database/database.ts";
import { parseAppName, parseEnvironmentName } from "../environment/name.ts";
import { MARK_VARIABLE } from "../environment/places.ts";
import { findMarked, signalProcess } from "../process/process.ts";
import { Engine } from "./engine.ts";
import { createEnvironmentId, Layout, makeHome } from "./home/layout.ts";
import { readRecords } from "./home/records.ts";
import type { LiveEnvironment } from "./live/live-environment.ts";
import { Admission } from "./machine/admission.ts";
import { Calm } from "./machine/calm.ts";
import type { EngineContext } from "./machine/context.ts";
import { Installs } from "./machine/installs.ts";
import type { StandbyLimits } from "./machine/standby-budget.ts";
import type { CallOptions } from "./making/creation.ts";

const PROGRAMS = path.join(import.meta.dirname, "..", "..", "test", "programs");
const TENDER = [
  process.execPath,
  path.join(import.meta.dirname, "..", "sync/far/tender-program.ts"),
];
const SEARCH_PATH = `${path.dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
/** Only tests of standbys have any: they are made behind everything else, whenever that may be. */
const NO_STANDBYS = { most: 0, calmMs: 0, always: false };
const NO_SPARES = { most: 0, calmMs: 0, leastEntries: 0 };
export const LISTENERS = { gatewayPort: 7420, databasePort: 7421 };
/** Generous: the machine may be busy with other tests. */
const LIMIT_MS = 40_000;

/** Where processes are involved, a test waits so long. */
export async function until<T>(ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const answer = await waitFor(ask, { timeoutMs: LIMIT_MS });
  if (answer === undefined) throw new Error(`Not within ${LIMIT_MS / 1000} s: ${String(ask)}`);
  return answer;
}

/** Waits until its one process serves. Resolves with its pid. */
export async function untilReady(live: LiveEnvironment): Promise<number> {
  return until(() => {
    const [web] = live.processes();
    return live.state() === "awake" && web?.state === "ready" ? (web.pid ?? undefined) : undefined;
  });
}

/** Adds a row to its database. Resolves with how many there are. */
export async function countRows(live: LiveEnvironment): Promise<unknown> {
  return live.withDatabase(async (database) => {
    if (database === null) throw new Error("It has a database.");
    await queryDatabase(database, "create table if not exists notes (text text)");
    await queryDatabase(database, "insert into notes values ('one')");
    return (await queryDatabase(database, "select count(*) from notes")).rows[0]?.[0];
  });
}

/** A folder that other users can pass through, as a server's home is where root runs it. */
export async function createFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), "ren-")));
  await chmod(folder, 0o711);
  return folder;
}

export async function removeFolder(folder: string): Promise<void> {
  await removeInside(tmpdir(), folder);
}

export function layoutIn(folder: string): Layout {
  const home = path.join(folder, "home");
  return new Layout({
    folder: home,
    shared: home,
    sockets: path.join(home, "run"),
    id: "testhome",
  });
}

/** What an engine's inner parts work with; nothing of it has been started. */
export function contextOf(layout: Layout, log: string[] = []): EngineContext {
  const { postgres: folder, templates } = layout;
  return {
    layout,
    clock: systemClock,
    postgres: supplyPostgres({ folder, templates, uid: null, bin: null }),
    tenderProgram: TENDER,
    inherited: {},
    listeners: () => LISTENERS,
    log: (text) => void log.push(text),
    checkpoint: () => undefined,
    calm: new Calm(),
    standbys: NO_STANDBYS,
    spares: NO_SPARES,
    installs: new Installs(),
    groups: null,
    admission: new Admission(async () => null),
    keepers: new Map(),
    wayOut: async () => undefined,
    fronts: () => ({ fronts: [], frontProblems: [], domain: null }),
    // The programs that tests run lie outside their environments' trees.
    isolation: async () => ({ kind: "ports", why: "a test", remedy: "None is needed." }),
  };
}

/** The command of a process that runs one of the hostile programs, or one that serves. */
export function runs(program: string, variables = ""): string {
  return `${variables} exec node '${path.join(PROGRAMS, program)}'`.trim();
}

/** Someone who waits for an answer and hears nothing of how it gets on. */
export function patiently(): CallOptions {
  return { report: () => undefined, signal: new AbortController().signal };
}

export type AppFiles = Readonly<Record<string, unknown>>;

export class TestEngine {
  readonly folder: string;
  readonly layout: Layout;
  readonly log: string[] = [];
  /** How far its clock is ahead of the system's. */
  #aheadMs = 0;
  /** Called at each step; a test may hold an environment up there. */
  checkpoint: (step: string) => Promise<void> | void = () => undefined;
  #context: EngineContext;
  #engine: Engine | undefined;

  private constructor(folder: string, changes: Partial<EngineContext>) {
    this.folder = folder;
    const home = path.join(folder, "home");
    const id = `test${randomBytes(6).toString("hex")}`;
    this.layout = new Layout({ folder: home, shared: home, sockets: path.join(home, "run"), id });
    this.#context = {
      ...contextOf(this.layout, this.log),
      clock: { now: () => systemClock.now() + this.#aheadMs },
      checkpoint: (step) => this.checkpoint(step),
      ...changes,
    };
  }

  static async open(
    standbys: StandbyLimits = NO_STANDBYS,
    changes: Partial<EngineContext> = {},
  ): Promise<TestEngine> {
    const stage = new TestEngine(await createFolder(), { standbys, ...changes });
    await makeHome(stage.layout);
    await stage.reopen();
    return stage;
  }

  get engine(): Engine {
    if (this.#engine === undefined) throw new Error("The engine is closed.");
    return this.#engine;
  }

  /** As if so much time had passed. */
  pass(ms: number): void {
    this.#aheadMs += ms;
  }

  /** Another engine takes the place of this one, as after a restart of the server. `changes` stay. */
  async reopen(changes: Partial<EngineContext> = {}): Promise<Engine> {
    await this.#engine?.close();
    this.#context = { ...this.#context, ...changes };
    this.#engine = new Engine({ ...this.#context, keepers: new Map() });
    await this.#engine.takeUp();
    return this.#engine;
  }

  /** The folder of Ramet's own PostgreSQL; as a path that somebody names it is like any other. */
  async findOwnPostgres(): Promise<string> {
    return (await this.#context.postgres.forNew()).programs.bin;
  }

  /** A folder with these files in it; what is no text is written as JSON. */
  async writeApp(name: string, files: AppFiles): Promise<string> {
    const folder = path.join(this.folder, name);
    await mkdir(folder, { recursive: true });
    await writeFiles(folder, files);
    return folder;
  }

  /** An app with the environment `development`, awake. */
  async createApp(
    name: string,
    manifest: unknown,
    postgresBin: string | null = null,
  ): Promise<LiveEnvironment> {
    const folder = await this.writeApp(name, { "ramet.json": manifest });
    const app = { name: parseAppName(name), folder, searchPath: SEARCH_PATH, postgresBin };
    await this.engine.createApp(app, patiently());
    return this.engine.registry.require(name, "development");
  }

  /** Of the app's `development`, with files of its own. */
  async fork(
    app: string,
    name: string,
    options: CallOptions = patiently(),
  ): Promise<LiveEnvironment> {
    const source = this.engine.registry.require(app, "development");
    const files = { kind: "kept" } as const;
    const named = { app: source.record.app, name: parseEnvironmentName(name) };
    await this.engine.create({ ...named, source, files, searchPath: SEARCH_PATH }, options);
    return this.engine.registry.require(app, name);
  }

  /** Processes of this home that are there now; only of one environment where it is given. */
  async marked(id = ""): Promise<readonly { pid: number; mark: string }[]> {
    return findMarked(MARK_VARIABLE, `${this.layout.home.id}.${id}`);
  }

  /** As its record on the disk says, which a server that is killed leaves behind. */
  async readState({ record: { id } }: LiveEnvironment): Promise<unknown> {
    const records = await readRecords(this.layout);
    return records.find((record) => record.id === id)?.state;
  }

  async findPid(live: LiveEnvironment, role: string): Promise<number> {
    const { id } = live.record;
    const found = (await this.marked(id)).find(({ mark }) => mark.endsWith(`${id}.${role}`));
    if (found === undefined) throw new Error(`${live.record.name} has no process for ${role}.`);
    return found.pid;
  }

  /** @throws Error when a process was left all the same */
  async close(): Promise<void> {
    await this.#engine?.stopAll();
    await this.#engine?.close();
    const left = await this.marked();
    for (const { pid } of left) signalProcess(pid, "SIGKILL");
    await removeFolder(this.folder);
    if (left.length > 0) throw new Error(`Processes were left: ${JSON.stringify(left)}`);
  }
}

/** An id that no environment has. */
export const STRANGER = createEnvironmentId();

async function writeFiles(folder: string, files: AppFiles): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeAtomically(path.join(folder, name), text, { mode: 0o644 });
  }
}
