import { type Clock, rest } from "../../base/clock.ts";
import type { Engine } from "../../engine/engine.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import { openServedTree, takeTurns } from "../../sync/sync.ts";
import type { ServedTree } from "../../sync/sync.ts";
import { filesLinkedAfar, visitUnknown } from "./problems.ts";
import { TreeTenders } from "./tree-tenders.ts";
import { VisitTurns } from "./visit-turns.ts";

/** Who visits what: a workspace and an environment, and one command's work with both. */
export type Visit = {
  readonly app: string;
  readonly environment: string;
  readonly pair: string;
  readonly visit: string;
};

/** What a visitor asks: the tree, or its turns, for what changes something with each question. */
type Visited = { readonly tree: ServedTree; readonly turns: VisitTurns };
type Open = Visited & {
  readonly id: string;
  /** When it was last asked, or answered. */
  heardMs: number;
  /** How many questions are being answered. */
  asked: number;
};

/** A visitor who was not heard of for longest makes room. */
const MOST_OPEN = 64;
/** One who keeps trees the same asks three times a minute. */
const MOST_SILENCE_MS = 10 * 60_000;
const SWEEP_MS = 60_000;

/** The trees that are being visited from afar. A visit ends with its command; one that was lost, when it has been silent for long. */
export class ServedTrees {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #open = new Map<string, Open>();
  readonly #tenders: TreeTenders;
  readonly #over = new AbortController();
  #sweeping: Promise<void> | undefined;

  constructor(engine: Engine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
    this.#tenders = new TreeTenders(engine, (gone) => {
      for (const [key, { id }] of this.#open) if (id === gone) this.#open.delete(key);
    });
  }

  /** @throws `files_linked_afar`, `files_untended`, `memory_short`, `sync_unreadable` */
  async open(visit: Visit): Promise<ServedTree> {
    const { record } = this.#engine.registry.require(visit.app, visit.environment);
    if (record.files.kind === "linked") throw filesLinkedAfar(record.name);
    await this.close(visit);
    this.#makeRoom();
    const key = keyOf(visit);
    const tree = await this.#begin(record, { key, pair: visit.pair });
    const turns = new VisitTurns(tree);
    this.#open.set(key, { tree, turns, id: record.id, heardMs: this.#clock.now(), asked: 0 });
    this.#sweeping ??= this.#sweepAgainAndAgain();
    return tree;
  }

  /** @throws `visit_unknown` and what the question does */
  async ask<T>(visit: Visit, question: (visited: Visited) => Promise<T>): Promise<T> {
    const open = this.#require(visit);
    open.asked += 1;
    try {
      return await question(open);
    } finally {
      open.asked -= 1;
      open.heardMs = this.#clock.now();
    }
  }

  /** Puts away what visitors have left who were silent for long. */
  async sweep(): Promise<void> {
    const since = this.#clock.now() - MOST_SILENCE_MS;
    const lost = [...this.#open].filter(
      ([, { asked, heardMs }]) => asked === 0 && heardMs <= since,
    );
    await Promise.all(lost.map(async ([key]) => this.#close(key)));
  }

  #require(visit: Visit): Open {
    const { id } = this.#engine.registry.require(visit.app, visit.environment).record;
    const key = keyOf(visit);
    const open = this.#open.get(key);
    if (open?.id !== id) throw visitUnknown();
    // The one that was heard of last is last.
    this.#open.delete(key);
    this.#open.set(key, open);
    open.heardMs = this.#clock.now();
    return open;
  }

  async close(visit: Visit): Promise<void> {
    await this.#close(keyOf(visit));
  }

  /** Resolves once nothing works for any of them. */
  async closeAll(): Promise<void> {
    this.#over.abort();
    await this.#sweeping;
    await Promise.all([...this.#open.keys()].map(async (key) => this.#close(key)));
  }

  /** Where it can be, by a program that may do no more than the environment's own processes. */
  async #begin(
    record: EnvironmentRecord,
    { key, pair }: { readonly key: string; readonly pair: string },
  ): Promise<ServedTree> {
    const tree = record.files.path;
    const home = this.#engine.layout.sync(record.files);
    try {
      const tender = await this.#tenders.enter(record, key);
      if (tender === null) return openServedTree({ remote: tree, home }, pair);
      return takeTurns(home, await tender.begin(key, { tree, home, pair }));
    } catch (error) {
      await this.#tenders.leave(record.id, key);
      throw error;
    }
  }

  async #close(key: string): Promise<void> {
    const open = this.#open.get(key);
    if (open === undefined) return;
    this.#open.delete(key);
    open.tree.close();
    await this.#tenders.leave(open.id, key);
  }

  async #sweepAgainAndAgain(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await rest(SWEEP_MS, signal).catch(() => undefined); // Its only other end is the signal's.
      await this.sweep();
    }
  }

  #makeRoom(): void {
    for (const [key, { id }] of this.#open) {
      const isGone = this.#engine.registry.findById(id) === undefined;
      // Nobody waits for its end.
      if (isGone || this.#open.size >= MOST_OPEN) void this.#close(key);
    }
  }
}

/** A visit to one environment is none to another, whatever it is called. */
function keyOf({ app, environment, visit }: Visit): string {
  return JSON.stringify([app, environment, visit]);
}
