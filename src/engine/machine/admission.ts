import { monotonicMs, sleep } from "../../base/clock.ts";
import { memoryShort } from "../home/problems.ts";
import { type MachineMemory, isShort } from "./memory.ts";

/** An environment, as far as it can make room. */
export type Resting = {
  isUp(): boolean;
  /** Resolves with whether it sleeps now. */
  makeRoom(): Promise<boolean>;
  readonly usage: { idleMs(): number };
};

/** As long as the gateway lets a program wait, or nearly. */
const WAIT_MS = 20_000;
const ASK_AGAIN_MS = 250;

/** Who may wake while the machine is short of memory: whoever is needed now goes before whoever was longest ago. */
export class Admission {
  readonly #read: () => Promise<MachineMemory | null>;
  readonly #waitMs: number;
  #list: () => Iterable<Resting> = () => [];

  /** @param waitMs how long a wake waits for memory */
  constructor(read: () => Promise<MachineMemory | null>, waitMs = WAIT_MS) {
    this.#read = read;
    this.#waitMs = waitMs;
  }

  /** From now on these make room for each other. */
  among(list: () => Iterable<Resting>): void {
    this.#list = list;
  }

  /** Makes room where there is too little: the longest idle goes to rest, one at a time. Resolves with whether there is enough. */
  async look(): Promise<boolean> {
    const memory = await this.#read();
    if (memory === null || !isShort(memory)) return true;
    for (const live of this.#listIdle()) if (await live.makeRoom()) return false;
    return false;
  }

  /** Resolves once there is memory for one more. @throws `memory_short` where there is none for long */
  async enter(name: string): Promise<void> {
    const end = monotonicMs() + this.#waitMs;
    while (!(await this.look())) {
      if (monotonicMs() > end) throw memoryShort(name, await this.#read());
      await sleep(ASK_AGAIN_MS);
    }
  }

  #listIdle(): readonly Resting[] {
    return [...this.#list()]
      .filter((live) => live.isUp())
      .toSorted((one, other) => other.usage.idleMs() - one.usage.idleMs());
  }
}
