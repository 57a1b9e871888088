import { readFile } from "node:fs/promises";

import { z } from "zod";

import { rest } from "../../base/clock.ts";
import { hasErrorCode, Problem } from "../../base/problem.ts";
import type { ProblemFields } from "../../base/problem.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import type { Engine } from "../../engine/engine.ts";
import { openGateway } from "../../gateway/gateway.ts";
import type { Certificates, Gateway, Target } from "../../gateway/gateway.ts";
import { frontPortMissing, frontPortRefused, frontPortTaken } from "./problems.ts";
import { targetOf } from "./routes.ts";

type Live = ReturnType<Engine["registry"]["require"]>;

const frontSchema = z.object({
  port: z.number().int().min(1).max(65_535),
  /** The environment's. */
  id: z.string(),
  process: z.string(),
});
/** That a port of this machine leads to a process of an environment. */
type Front = z.infer<typeof frontSchema>;

/** A front whose port is taken is tried again this often. */
const RETRY_MS = 3000;
const HOST = "127.0.0.1";
/** Whoever names another host was led here by somebody else's name for this machine. */
const OWN_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** The plain ports of this machine that lead to environments, one environment each; they outlive the server's restarts. */
export class Fronts {
  readonly #file: string;
  readonly #engine: Engine;
  readonly #certificates: Certificates;
  readonly #closing = new AbortController();
  readonly #open = new Map<number, Gateway>();
  readonly #failures = new Map<number, ProblemFields>();
  #fronts: readonly Front[] = [];
  #retrying: Promise<void> = Promise.resolve();

  constructor(file: string, engine: Engine, certificates: Certificates) {
    this.#file = file;
    this.#engine = engine;
    this.#certificates = certificates;
  }

  /** Takes up what a server before this one had. */
  async start(): Promise<void> {
    this.#fronts = await readFronts(this.#file);
    await this.prune();
    await this.#openAll();
    this.#retrying = this.#retry();
  }

  list(id: string): readonly Pick<Front, "port" | "process">[] {
    return this.#of(id).map(({ port, process }) => ({ port, process }));
  }

  problems(id: string): readonly ProblemFields[] {
    return this.#of(id).flatMap(({ port }) => this.#failures.get(port) ?? []);
  }

  /**
   * Leads each port that the environment's processes declare to it, or this one alone to its main process; whoever had it, has
   * it no more. @throws `front_port_missing`, `front_port_taken`, `front_port_refused`; nothing is changed then
   */
  async lead(live: Live, port: number | null): Promise<void> {
    const wanted = await listWanted(live, port);
    const opened: number[] = [];
    try {
      for (const front of wanted) {
        if (this.#open.has(front.port)) continue;
        await this.#listen(front.port);
        opened.push(front.port);
      }
    } catch (error) {
      for (const one of opened) await this.#close(one);
      throw error;
    }
    const ports = new Set(wanted.map((front) => front.port));
    await this.#save([...this.#fronts.filter((front) => !ports.has(front.port)), ...wanted]);
  }

  /** Takes its ports from it. */
  async takeBack(id: string): Promise<void> {
    await this.#save(this.#fronts.filter((front) => front.id !== id));
  }

  /** Forgets those whose environment is gone. */
  async prune(): Promise<void> {
    const kept = this.#fronts.filter(({ id }) => this.#engine.registry.findById(id) !== undefined);
    if (kept.length < this.#fronts.length) await this.#save(kept);
  }

  /** Their ports are free for the next server. Resolves once nobody is connected to one. */
  async leave(): Promise<void> {
    this.#closing.abort();
    await this.#retrying;
    await Promise.all([...this.#open.values()].map(async (gateway) => gateway.leave()));
  }

  /** They are taken up by the next server. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#retrying;
    await Promise.all([...this.#open.values()].map(async (gateway) => gateway.close()));
    this.#open.clear();
  }

  #of(id: string): readonly Front[] {
    return this.#fronts.filter((front) => front.id === id);
  }

  async #save(fronts: readonly Front[]): Promise<void> {
    await writeAtomically(this.#file, `${JSON.stringify(fronts, undefined, 2)}\n`, { mode: 0o600 });
    this.#fronts = fronts;
    const ports = new Set(fronts.map(({ port }) => port));
    for (const port of this.#failures.keys()) if (!ports.has(port)) this.#failures.delete(port);
    const unused = [...this.#open.keys()].filter((port) => !ports.has(port));
    await Promise.all(unused.map(async (port) => this.#close(port)));
  }

  async #openAll(): Promise<void> {
    for (const { port } of this.#fronts) {
      if (this.#open.has(port)) continue;
      try {
        await this.#listen(port);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        this.#failures.set(port, error.toFields());
      }
    }
  }

  /** Whoever has the port may let it go. */
  async #retry(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      // Cut short by the end.
      await rest(RETRY_MS, this.#closing.signal).catch(() => undefined);
      if (!this.#closing.signal.aborted && this.#failures.size > 0) await this.#openAll();
    }
  }

  async #listen(port: number): Promise<void> {
    try {
      const gateway = await openGateway({
        host: HOST,
        port,
        find: (hostname) => (OWN_NAMES.has(hostname) ? this.#find(port) : undefined),
        certificates: this.#certificates,
      });
      this.#open.set(port, gateway);
      this.#failures.delete(port);
    } catch (error) {
      if (hasErrorCode(error, "EADDRINUSE")) throw frontPortTaken(port);
      throw hasErrorCode(error, "EACCES") ? frontPortRefused(port) : error;
    }
  }

  async #close(port: number): Promise<void> {
    const gateway = this.#open.get(port);
    this.#open.delete(port);
    await gateway?.close();
  }

  #find(port: number): Target | undefined {
    const front = this.#fronts.find((one) => one.port === port);
    const live = front === undefined ? undefined : this.#engine.registry.findById(front.id);
    return front === undefined || live === undefined ? undefined : targetOf(live, front.process);
  }
}

async function listWanted(live: Live, port: number | null): Promise<readonly Front[]> {
  const { id, app, name } = live.record;
  const { processes } = await live.manifest();
  const main = live.manifests.mainProcess();
  if (port !== null && main !== undefined) return [{ port, id, process: main }];
  const declared = Object.entries(processes).flatMap(([process, { ownPort }]) =>
    ownPort === null ? [] : [{ port: ownPort, id, process }],
  );
  if (declared.length === 0) throw frontPortMissing(`${app}/${name}`);
  return declared;
}

/** A file that is damaged is like none: what it said is easily said again. */
async function readFronts(file: string): Promise<readonly Front[]> {
  try {
    return z.array(frontSchema).parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    const isDamaged = error instanceof SyntaxError || error instanceof z.ZodError;
    if (isDamaged || hasErrorCode(error, "ENOENT")) return [];
    throw error;
  }
}
