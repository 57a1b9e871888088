import { messageOf } from "../base/problem.ts";
import type { LiveEnvironment } from "./live-environment.ts";

type Looked = Pick<LiveEnvironment, "isUp" | "look" | "note">;

const EVERY_MS = 1_000;

/** Looks, once a second, after environments that are awake; for those that sleep there is nothing to do. */
export class Caretaker {
  readonly #list: () => Iterable<Looked>;
  /** Looks that take longer than a second. */
  readonly #underWay = new Set<Looked>();
  #timer: NodeJS.Timeout | undefined;

  constructor(list: () => Iterable<Looked>) {
    this.#list = list;
  }

  begin(): void {
    this.#timer = setInterval(() => this.#lookAtAll(), EVERY_MS).unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #lookAtAll(): void {
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
