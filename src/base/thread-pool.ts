import { Worker } from "node:worker_threads";

import { rest } from "./clock.ts";
import { findCompiledCode, THREAD_LIMITS } from "./own-program.ts";
import { messageOf } from "./problem.ts";

/** What crosses from a thread to whoever gave it a job. */
export type Answer<Done> =
  | { readonly done: Done }
  | { readonly failure: { readonly message: string; readonly code: string | null } };

/** Does a job in a thread of its own, for another. */
export async function answerWith<Done>(work: () => Done | Promise<Done>): Promise<Answer<Done>> {
  try {
    return { done: await work() };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : null;
    return { failure: { message: messageOf(error), code } };
  }
}

export type PoolOptions = {
  /** Plain JavaScript that answers each message with an `Answer`; it is given where our compiled code is kept. */
  readonly program: string;
  readonly most: number;
  /** What a thread holds in memory is given back when nobody has needed it for so long; a minute. */
  readonly idleMs?: number;
};

type Task<Job, Done> = { readonly job: Job } & Pick<
  PromiseWithResolvers<Done>,
  "resolve" | "reject"
>;

const IDLE_MS = 60_000;

/** Threads for jobs of one kind; they stay for the next jobs, and keep no program from ending. */
export class ThreadPool<Job, Done> {
  readonly #options: PoolOptions;
  readonly #waiting: Task<Job, Done>[] = [];
  readonly #idle = new Set<PoolThread<Job, Done>>();
  #started = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Has a thread do the job, one after another where there are more jobs than threads. */
  async run(job: Job): Promise<Done> {
    const { promise, resolve, reject } = Promise.withResolvers<Done>();
    this.#waiting.push({ job, resolve, reject });
    if (this.#idle.size === 0) this.#startThread();
    for (const thread of this.#idle) thread.takeNext();
    return promise;
  }

  /** For someone who will have jobs soon: a thread takes 30 to 40 ms to start. */
  prepare(): void {
    while (this.#started < this.#options.most) this.#startThread();
  }

  #startThread(): void {
    if (this.#started >= this.#options.most) return;
    this.#started += 1;
    const thread = new PoolThread<Job, Done>(this.#options, {
      next: () => this.#waiting.shift(),
      onIdle: () => this.#idle.add(thread),
      onBusy: () => this.#idle.delete(thread),
      onEnd: () => {
        this.#started -= 1;
        this.#idle.delete(thread);
        // What came while it was ending.
        if (this.#waiting.length > 0) this.#startThread();
        for (const other of this.#idle) other.takeNext();
      },
    });
    this.#idle.add(thread);
  }
}

type Owner<Job, Done> = {
  next(): Task<Job, Done> | undefined;
  onIdle(): void;
  onBusy(): void;
  onEnd(): void;
};

class PoolThread<Job, Done> {
  readonly #worker: Worker;
  readonly #owner: Owner<Job, Done>;
  readonly #idleMs: number;
  #task: Task<Job, Done> | undefined;
  /** Ends its rest; undefined: it does not rest. */
  #idling: AbortController | undefined;

  constructor({ program, idleMs = IDLE_MS }: PoolOptions, owner: Owner<Job, Done>) {
    this.#owner = owner;
    this.#idleMs = idleMs;
    const compiled = findCompiledCode() ?? null;
    this.#worker = new Worker(program, { workerData: compiled, resourceLimits: THREAD_LIMITS });
    this.#worker.on("message", (answer: Answer<Done>) => this.#settle(answer));
    this.#worker.on("error", (error) => this.#task?.reject(error));
    this.#worker.on("exit", () => this.#end());
    this.#worker.unref();
    this.#rest();
  }

  takeNext(): void {
    const task = this.#owner.next();
    if (task === undefined) return;
    this.#owner.onBusy();
    this.#idling?.abort();
    this.#idling = undefined;
    this.#task = task;
    this.#worker.ref();
    this.#worker.postMessage(task.job);
  }

  #settle(answer: Answer<Done>): void {
    const task = this.#task;
    this.#task = undefined;
    this.#worker.unref();
    this.#owner.onIdle();
    this.takeNext();
    if (this.#task === undefined) this.#rest();
    if ("done" in answer) task?.resolve(answer.done);
    else {
      const { message, code } = answer.failure;
      task?.reject(Object.assign(new Error(message), code === null ? {} : { code }));
    }
  }

  #rest(): void {
    this.#idling = new AbortController();
    rest(this.#idleMs, this.#idling.signal)
      .then(async () => this.#giveBack())
      .catch(() => {
        // It has something to do again.
      });
  }

  /** From here on it is given nothing; whoever came in the last moment keeps it. */
  async #giveBack(): Promise<void> {
    if (this.#task !== undefined) return;
    this.#owner.onBusy();
    await this.#worker.terminate();
  }

  #end(): void {
    this.#owner.onEnd();
    this.#task?.reject(new Error("The thread has ended."));
  }
}
