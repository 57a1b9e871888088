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

type Open = { readonly tree: ServedTree; readonly id: string; readonly turns: VisitTurns };

/** A visitor who was not heard of for longest makes room. */
const MOST_OPEN = 64;

/** The trees that are being visited from afar. A visit ends with its command; what a lost one has left, later ones put away. */
export class ServedTrees {
  readonly #engine: Engine;
  readonly #open = new Map<string, Open>();
  readonly #tenders: TreeTenders;

  constructor(engine: Engine) {
    this.#engine = engine;
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
    this.#open.set(key, { tree, id: record.id, turns: new VisitTurns(tree) });
    return tree;
  }

  /** @throws `visit_unknown` */
  require(visit: Visit): ServedTree {
    return this.#require(visit).tree;
  }

  /** What it is asked turn by turn. @throws `visit_unknown` */
  turnsOf(visit: Visit): VisitTurns {
    return this.#require(visit).turns;
  }

  #require(visit: Visit): Open {
    const { id } = this.#engine.registry.require(visit.app, visit.environment).record;
    const key = keyOf(visit);
    const open = this.#open.get(key);
    if (open?.id !== id) throw visitUnknown();
    // The one that was heard of last is last.
    this.#open.delete(key);
    this.#open.set(key, open);
    return open;
  }

  async close(visit: Visit): Promise<void> {
    await this.#close(keyOf(visit));
  }

  /** Resolves once nothing works for any of them. */
  async closeAll(): Promise<void> {
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
