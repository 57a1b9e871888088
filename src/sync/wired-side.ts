import { Problem } from "../base/problem.ts";
import { MOST_BATCH_BYTES, MOST_BATCH_PARTS, packBatch, type Part, unpackBatch } from "./batch.ts";
import type { Plan, PutStep, RemoveStep } from "./core/plan.ts";
import type { Entry } from "./core/tree.ts";
import { changedMeanwhile, wireBroken } from "./problems.ts";
import type { Applied, Changes, Contents, Look, LookOptions, Side } from "./side.ts";
import type { LookReply, Wire, WiredChanges, WiredProblems } from "./wire.ts";

/** So many steps go in one call. */
const MOST_STEPS = 4_000;
/** How often a look may ask: a level of folders each. */
const MOST_QUESTIONS = 200;

/** A side that is far away, by a wire. What comes from there is believed no more than it must be: the other side checks it. */
export class WiredSide implements Side {
  readonly contents: Contents;
  readonly #wire: Wire;
  readonly #opened: Awaited<ReturnType<Wire["open"]>>;
  /** What the last look found, in its order: what is read of it is likely to be read to the end. */
  #likely: readonly string[] = [];

  private constructor(wire: Wire, opened: Awaited<ReturnType<Wire["open"]>>) {
    this.#wire = wire;
    this.#opened = opened;
    this.contents = { read: (path) => this.#reader.read(path) };
    this.#reader = new Reader(wire, () => this.#likely);
  }

  readonly #reader: Reader;

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
    for (const step of plan.puts) {
      try {
        if (needsBytes(step)) await outgoing.add(step.path, contents.read(step.path));
        puts.push(step);
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== "sync_conflict") throw error;
        left.set(step.path, error);
      }
    }
    await outgoing.flush();
    return { removals: plan.removals, puts };
  }
}

/** Parts on their way there, a batch at a time. */
class Outgoing {
  readonly #wire: Wire;
  #parts: Part[] = [];
  #bytes = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  async add(path: string, parts: ReturnType<Contents["read"]>): Promise<void> {
    let offset = 0;
    for await (const whole of parts) {
      for (let at = 0; at < whole.length;) {
        const bytes = whole.subarray(at, at + MOST_BATCH_BYTES - this.#bytes);
        // What is read next may come in the same memory.
        await this.#push({ path, offset, bytes: Uint8Array.from(bytes), isEnd: false });
        at += bytes.length;
        offset += bytes.length;
      }
    }
    await this.#push({ path, offset, bytes: new Uint8Array(0), isEnd: true });
  }

  async flush(): Promise<void> {
    if (this.#parts.length > 0) await this.#wire.stage(await packBatch(this.#parts));
    this.#parts = [];
    this.#bytes = 0;
  }

  async #push(part: Part): Promise<void> {
    this.#parts.push(part);
    this.#bytes += part.bytes.length;
    if (this.#bytes >= MOST_BATCH_BYTES || this.#parts.length >= MOST_BATCH_PARTS)
      await this.flush();
  }
}

/** Asks for a file with those that are likely to be asked for next, so that small ones come together. */
class Reader {
  readonly #wire: Wire;
  readonly #likely: () => readonly string[];
  #ahead = new Map<string, Uint8Array>();

  constructor(wire: Wire, likely: () => readonly string[]) {
    this.#wire = wire;
    this.#likely = likely;
  }

  async *read(path: string): AsyncGenerator<Uint8Array> {
    const ahead = this.#ahead.get(path);
    if (ahead !== undefined) {
      this.#ahead.delete(path);
      yield ahead;
      return;
    }
    for (let offset = 0, isEnd = false; !isEnd;) {
      const [first, ...others] = await this.#fetch(path, offset);
      if (first === undefined || first.path !== path || first.offset !== offset)
        throw changedMeanwhile(path);
      yield first.bytes;
      isEnd = first.isEnd;
      if (!isEnd && first.bytes.length === 0) throw wireBroken("a file has no end");
      offset += first.bytes.length;
      if (isEnd) this.#keep(others);
    }
  }

  async #fetch(path: string, offset: number): Promise<readonly Part[]> {
    const likely = this.#likely();
    const after = likely.indexOf(path) + 1;
    const next = after === 0 ? [] : likely.slice(after, after + MOST_AHEAD);
    const others = offset === 0 ? next.map((one) => ({ path: one, offset: 0 })) : [];
    const parts = await unpackBatch(await this.#wire.read([{ path, offset }, ...others]));
    if (parts === undefined) throw wireBroken("a batch is not what it says");
    return parts;
  }

  /** Whole files alone; what nobody asked for in the meantime is forgotten. */
  #keep(parts: readonly Part[]): void {
    const whole = parts.filter(({ offset, isEnd }) => offset === 0 && isEnd);
    this.#ahead = new Map(whole.map(({ path, bytes }) => [path, bytes]));
  }
}

const MOST_AHEAD = 500;

/** What changes the mode alone brings no bytes; nor do links and folders. */
function needsBytes({ entry, expected }: PutStep): boolean {
  const isModeAlone =
    entry.kind === "file" && expected?.kind === "file" && entry.hash === expected.hash;
  return entry.kind === "file" && !isModeAlone;
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
