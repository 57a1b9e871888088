import type { Engine } from "../engine/engine.ts";
import { openServedTree } from "../sync/sync.ts";
import type { ServedTree } from "../sync/sync.ts";
import { filesLinkedAfar, visitUnknown } from "./problems.ts";

/** Who visits what: a workspace and an environment, and one command's work with both. */
export type Visit = {
  readonly app: string;
  readonly environment: string;
  readonly pair: string;
  readonly visit: string;
};

type Open = { readonly tree: ServedTree; readonly id: string };

/** A visitor who was not heard of for longest makes room. */
const MOST_OPEN = 64;

/** The trees that are being visited from afar. A visit ends with its command; what a lost one has left, later ones put away. */
export class ServedTrees {
  readonly #engine: Engine;
  readonly #open = new Map<string, Open>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @throws `files_linked_afar`, `sync_unreadable` */
  open(visit: Visit): ServedTree {
    const { files, id, name } = this.#engine.registry.require(visit.app, visit.environment).record;
    if (files.kind === "linked") throw filesLinkedAfar(name);
    this.close(visit);
    this.#makeRoom();
    const sides = { remote: files.path, home: this.#engine.layout.sync(id) };
    const tree = openServedTree(sides, visit.pair);
    this.#open.set(keyOf(visit), { tree, id });
    return tree;
  }

  /** @throws `visit_unknown` */
  require(visit: Visit): ServedTree {
    const { id } = this.#engine.registry.require(visit.app, visit.environment).record;
    const key = keyOf(visit);
    const open = this.#open.get(key);
    if (open?.id !== id) throw visitUnknown();
    // The one that was heard of last is last.
    this.#open.delete(key);
    this.#open.set(key, open);
    return open.tree;
  }

  close(visit: Visit): void {
    this.#close(keyOf(visit));
  }

  closeAll(): void {
    for (const key of this.#open.keys()) this.#close(key);
  }

  #close(key: string): void {
    this.#open.get(key)?.tree.close();
    this.#open.delete(key);
  }

  #makeRoom(): void {
    for (const [key, { id }] of this.#open) {
      const isGone = this.#engine.registry.findById(id) === undefined;
      if (isGone || this.#open.size >= MOST_OPEN) this.#close(key);
    }
  }
}

/** A visit to one environment is none to another, whatever it is called. */
function keyOf({ app, environment, visit }: Visit): string {
  return JSON.stringify([app, environment, visit]);
}
