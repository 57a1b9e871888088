import { messageOf } from "../../base/problem.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { UseWatch } from "./use-watch.ts";

type Looked = Pick<LiveEnvironment, "isUp" | "look" | "note">;

/** Who sees what environments take. */
type Watching = { readonly uses: Pick<UseWatch, "look" | "glance"> };

const EVERY_MS = 1_000;
const GLANCE_EVERY_MS = 100;

/** Looks, once a second, after environments that are awake, and what they take; for those that sleep there is nothing to do. */
export class Caretaker {
  readonly #list: () => Iterable<Looked>;
  readonly #watching: Watching;
  /** Looks that take longer than a second. */
  readonly #underWay = new Set<Looked>();
  #timers: readonly NodeJS.Timeout[] = [];

  constructor(list: () => Iterable<Looked>, watching: Watching) {
    this.#list = list;
    this.#watching = watching;
  }

  begin(): void {
    this.#timers = [
      setInterval(() => this.#lookAtAll(), EVERY_MS).unref(),
      setInterval(() => this.#watching.uses.glance(), GLANCE_EVERY_MS).unref(),
    ];
  }

  end(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #lookAtAll(): void {
    void this.#watching.uses.look();
    for (const live of this.#list())
      if (live.isUp() && !this.#underWay.has(live)) void this.#lookAt(live);
  }

  async #lookAt(live: Looked): Promise<void> {
    this.#underWay.add(live);
    try {
      await live.look();
    } catch (error) {
      live.note(messageOf(error));
    } finally {
      this.#underWay.delete(live);
    }
  }
}
