import { waitFor } from "../../base/clock.ts";

/** Longer than any install may take. */
const LIMIT_MS = 35 * 60_000;

type Install = {
  state: "running" | "failed" | "done";
  /** Whoever copies what it made, before anyone runs in it. */
  readonly copying: Set<Promise<unknown>>;
  readonly by: Installer;
};

/** Where packages are installed, and for which environment. */
export type Installer = { readonly name: string; readonly folder: string };

export type Installing = {
  /** What is installed, and with what: the same key stands for the same packages. */
  readonly key: string;
  readonly by: Installer;
  readonly install: () => Promise<void>;
  /** Takes them from where they were just installed. False: it could not. */
  readonly take: (from: Installer) => Promise<boolean>;
  readonly signal: AbortSignal;
};

/**
 * Packages that several want at a time are installed once: whoever comes while that goes on waits for it, and takes a
 * copy. Whoever installed them waits for the copies: from then on its processes may write into its own.
 */
export class Installs {
  readonly #running = new Map<string, Install>();

  /** Resolves with whose they were taken; null: they were installed here. */
  async once(installing: Installing): Promise<Installer | null> {
    const { key, by, install, take, signal } = installing;
    const running = this.#running.get(key);
    if (running === undefined) {
      await this.#install(key, { by, install });
      return null;
    }
    const copy = this.#copy(running, { take, signal });
    running.copying.add(copy);
    if (await copy.finally(() => running.copying.delete(copy))) return running.by;
    // It failed there. One of those who waited tries it.
    return this.once(installing);
  }

  async #install(
    key: string,
    { by, install }: { readonly by: Installer; readonly install: () => Promise<void> },
  ): Promise<void> {
    const own: Install = { state: "running", copying: new Set(), by };
    this.#running.set(key, own);
    try {
      await install();
      own.state = "done";
    } finally {
      if (own.state === "running") own.state = "failed";
      this.#running.delete(key);
    }
    await Promise.allSettled(own.copying);
  }

  async #copy(
    running: Install,
    { take, signal }: Pick<Installing, "take" | "signal">,
  ): Promise<boolean> {
    const ended = (): true | undefined => (running.state === "running" ? undefined : true);
    await waitFor(ended, { timeoutMs: LIMIT_MS, everyMs: 50, signal });
    return running.state === "done" && take(running.by);
  }
}
