import type { Engine } from "../../engine/engine.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import { TreeTender } from "./tree-tender.ts";

type Tended = {
  readonly tender: Promise<TreeTender | null>;
  /** Who visits, or is about to. */
  readonly visits: Set<string>;
};

/** One program for each environment whose files are being visited, from the first visit to the end of the last. */
export class TreeTenders {
  readonly #engine: Engine;
  readonly #onGone: (id: string) => void;
  readonly #tended = new Map<string, Tended>();

  /** @param onGone told of an environment whose visits have ended with the program */
  constructor(engine: Engine, onGone: (id: string) => void) {
    this.#engine = engine;
    this.#onGone = onGone;
  }

  /** null: it is for us to do. */
  async enter(record: EnvironmentRecord, visit: string): Promise<TreeTender | null> {
    const tended = this.#tended.get(record.id) ?? this.#start(record);
    tended.visits.add(visit);
    return tended.tender;
  }

  /** Resolves when nobody is left who would have to go. */
  async leave(id: string, visit: string): Promise<void> {
    const tended = this.#tended.get(id);
    if (tended?.visits.delete(visit) !== true || tended.visits.size > 0) return;
    this.#tended.delete(id);
    await (await tended.tender.catch(() => null))?.close(); // What never started need not end.
  }

  #start(record: EnvironmentRecord): Tended {
    const tended = { tender: this.#begin(record), visits: new Set<string>() };
    this.#tended.set(record.id, tended);
    const forget = (): void => {
      if (this.#tended.get(record.id) !== tended) return;
      this.#tended.delete(record.id);
      this.#onGone(record.id);
    };
    void tended.tender.then(async (tender) => tender?.ended.then(forget)).catch(forget);
    return tended;
  }

  async #begin(record: EnvironmentRecord): Promise<TreeTender | null> {
    const program = await this.#engine.tenders.start(record);
    return program === null ? null : new TreeTender(program);
  }
}
