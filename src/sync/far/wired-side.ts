import { Problem } from "../../base/problem.ts";
import type { Plan, PutStep, RemoveStep } from "../core/plan.ts";
import type { Entry } from "../core/tree.ts";
import { wireBroken } from "../disk/problems.ts";
import type { Applied, Changes, Contents, Look, LookOptions, Side } from "../side/side.ts";
import { FarPieces, planOutgoing } from "./far-pieces.ts";
import { FarReader } from "./far-reader.ts";
import { Outgoing } from "./outgoing.ts";
import type { LookReply, Wire, WiredChanges, WiredOpened, WiredProblems } from "./wire.ts";

/** So many steps go in one call. */
const MOST_STEPS = 4_000;
/** How often a look may ask: a level of folders each. */
const MOST_QUESTIONS = 200;
const NOTHING: ReadonlySet<string> = new Set();

/** A side that is far away, by a wire. What comes from there is believed no more than it must be: the other side checks it. */
export class WiredSide implements Side {
  readonly contents: Contents;
  readonly #wire: Wire;
  readonly #opened: WiredOpened;
  readonly #pieces: FarPieces;
  /** What the last look found, in its order: what is read of it is likely to be read to the end. */
  #likely: readonly string[] = [];

  private constructor(wire: Wire, opened: WiredOpened) {
    this.#wire = wire;
    this.#opened = opened;
    this.#pieces = new FarPieces(wire);
    const reader = new FarReader(wire, this.#pieces, () => this.#likely);
    this.contents = { read: (path, there) => reader.read(path, there) };
  }

  static async open(wire: Wire): Promise<WiredSide> {
    return new WiredSide(wire, await wire.open());
  }

  identify(): Promise<string> {
    return Promise.resolve(this.#opened.identity);
  }

  recover(): Promise<Changes> {
    return Promise.resolve(toChanges(this.#opened.recovered));
  }

  async look({ scope, findIgnored }: LookOptions): Promise<Look> {
    let reply = await this.#wire.look(scope);
    for (let count = 0; reply.kind === "ask"; count += 1) {
      if (count >= MOST_QUESTIONS) throw wireBroken("it asks without end");
      const ignored = await findIgnored(reply.names);
      reply = await this.#wire.answer([...ignored]);
    }
    return this.#toLook(reply);
  }

  async apply(plan: Plan, contents: Contents): Promise<Applied> {
    const done = new Map<string, Entry | undefined>();
    const left = new Map<string, Problem>();
    let displaced: string | null = null;
    for (const part of splitPlan(plan)) {
      const ready = await this.#send(part, contents, left);
      const applied = await this.#wire.apply(ready);
      for (const [path, entry] of toChanges(applied.done)) done.set(path, entry);
      for (const [path, problem] of toProblems(applied.left)) left.set(path, problem);
      displaced ??= applied.displaced;
    }
    return { done, left, displaced };
  }

  commit(): Promise<void> {
    return this.#wire.commit();
  }

  #toLook({ changes, unknown, isPartial }: Extract<LookReply, { kind: "look" }>): Look {
    const found = toChanges(changes);
    this.#likely = [...found].flatMap(([path, entry]) => (entry?.kind === "file" ? [path] : []));
    return { changes: found, unknown: toProblems(unknown), isPartial };
  }

  /** Resolves with the plan without what could not be read here. */
  async #send(plan: Plan, contents: Contents, left: Map<string, Problem>): Promise<Plan> {
    const outgoing = new Outgoing(this.#wire);
    const puts: PutStep[] = [];
    const removed = this.#opened.takesOver === true ? listHashes(plan.removals) : NOTHING;
    for (const step of plan.puts) {
      try {
        if (needsBytes(step, removed)) await this.#sendBytes(outgoing, step, contents);
        puts.push(step);
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== "sync_conflict") throw error;
        left.set(step.path, error);
      }
    }
    await outgoing.flush();
    return { removals: plan.removals, puts };
  }

  async #sendBytes(outgoing: Outgoing, step: PutStep, contents: Contents): Promise<void> {
    if (await this.#sendPatch(outgoing, step, contents)) return;
    await outgoing.add(step.path, contents.read(step.path));
  }

  /** Of a large file that replaces another, what that does not hold. False: nothing is known of it, or it has changed. */
  async #sendPatch(
    outgoing: Outgoing,
    { path, expected }: PutStep,
    { find }: Contents,
  ): Promise<boolean> {
    if (expected?.kind !== "file" || find === undefined) return false;
    const here = find(path);
    const pieces = await this.#pieces.find(path, here);
    const stretches = pieces === null ? null : await planOutgoing(here, pieces);
    if (stretches === null) return false;
    try {
      await outgoing.addPatch(path, here, stretches);
      return true;
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "sync_conflict") throw error;
      return false;
    }
  }
}

/** What changes the mode alone brings no bytes, nor does what has another name now; nor do links and folders. */
function needsBytes({ entry, expected }: PutStep, removed: ReadonlySet<string>): boolean {
  if (entry.kind !== "file") return false;
  const isModeAlone = expected?.kind === "file" && entry.hash === expected.hash;
  return !isModeAlone && !removed.has(entry.hash);
}

function listHashes(removals: readonly RemoveStep[]): ReadonlySet<string> {
  return new Set(
    removals.flatMap(({ expected }) => (expected.kind === "file" ? [expected.hash] : [])),
  );
}

/** In its own order: removals come first. */
function* splitPlan({ removals, puts }: Plan): Generator<Plan> {
  const steps: readonly (RemoveStep | PutStep)[] = [...removals, ...puts];
  for (let at = 0; at < steps.length; at += MOST_STEPS) {
    const end = at + MOST_STEPS;
    const first = Math.max(0, at - removals.length);
    yield {
      removals: removals.slice(at, end),
      puts: puts.slice(first, Math.max(0, end - removals.length)),
    };
  }
}

function toChanges(changes: WiredChanges): Map<string, Entry | undefined> {
  return new Map(changes.map(([path, entry]) => [path, entry ?? undefined]));
}

function toProblems(problems: WiredProblems): Map<string, Problem> {
  return new Map(problems.map(([path, fields]) => [path, new Problem(fields)]));
}
