import { getCompileCacheDir } from "node:module";
import { availableParallelism } from "node:os";
import path from "node:path";
import { Worker } from "node:worker_threads";

import { rest } from "../base/clock.ts";
import type { CopyJob, JobAnswer, JobDone } from "./copy-file.ts";

/** As many as there are processors, and two even where there is one: the disk is slower than either. */
const MOST = Math.min(4, Math.max(2, availableParallelism()));
const PROGRAM = path.join(import.meta.dirname, "copy-worker.js");

type Task = { readonly job: CopyJob } & Pick<PromiseWithResolvers<JobDone>, "resolve" | "reject">;

/** What a thread holds in memory is given back when nobody has needed it for so long. */
const IDLE_MS = 60_000;

/** Threads for jobs of one kind; they stay for the next jobs, and keep no program from ending. */
export class CopyPool {
  readonly #most: number;
  readonly #flags: Int32Array | null;
  readonly #waiting: Task[] = [];
  readonly #idle = new Set<CopyThread>();
  #started = 0;

  /** `flags`: shared memory by which its threads are held up. */
  constructor(most: number, flags: Int32Array | null) {
    this.#most = most;
    this.#flags = flags;
  }

  /** Has a thread do the job, one after another where there are more jobs than threads. */
  async copy(job: CopyJob): Promise<JobDone> {
    const { promise, resolve, reject } = Promise.withResolvers<JobDone>();
    this.#waiting.push({ job, resolve, reject });
    if (this.#idle.size === 0) this.#startThread();
    for (const thread of this.#idle) thread.takeNext();
    return promise;
  }

  prepare(): void {
    while (this.#started < this.#most) this.#startThread();
  }

  #startThread(): void {
    if (this.#started >= this.#most) return;
    this.#started += 1;
    const thread = new CopyThread(this.#flags, {
      next: () => this.#waiting.shift(),
      onIdle: () => this.#idle.add(thread),
      onBusy: () => this.#idle.delete(thread),
      onEnd: () => {
        this.#started -= 1;
        this.#idle.delete(thread);
      },
    });
    this.#idle.add(thread);
  }
}

const pool = new CopyPool(MOST, null);

/** Has one of a few threads do the job, as soon as one can. */
export async function copyInThread(job: CopyJob): Promise<JobDone> {
  return pool.copy(job);
}

/** For someone who will copy soon: a thread takes about as long to start as a session with a database. */
export function prepareThreads(): void {
  pool.prepare();
}

type Owner = {
  next(): Task | undefined;
  onIdle(): void;
  onBusy(): void;
  onEnd(): void;
};

class CopyThread {
  readonly #worker: Worker;
  readonly #flags: Int32Array | null;
  readonly #owner: Owner;
  #task: Task | undefined;
  #idling = new AbortController();

  constructor(flags: Int32Array | null, owner: Owner) {
    this.#owner = owner;
    this.#flags = flags;
    this.#worker = new Worker(PROGRAM, { workerData: findCompiled() });
    this.#worker.on("message", (answer: JobAnswer) => this.#settle(answer));
    this.#worker.on("error", (error) => this.#task?.reject(error));
    this.#worker.on("exit", () => this.#end());
    this.#worker.unref();
    this.#rest();
  }

  takeNext(): void {
    const task = this.#owner.next();
    if (task === undefined) return;
    this.#owner.onBusy();
    this.#idling.abort();
    this.#task = task;
    this.#worker.ref();
    this.#worker.postMessage({ ...task.job, flags: this.#flags });
  }

  #settle(answer: JobAnswer): void {
    const task = this.#task;
    this.#task = undefined;
    this.#worker.unref();
    this.#owner.onIdle();
    this.#rest();
    this.takeNext();
    if ("done" in answer) task?.resolve(answer.done);
    else {
      const { message, code } = answer.failure;
      task?.reject(Object.assign(new Error(message), code === null ? {} : { code }));
    }
  }

  #rest(): void {
    this.#idling = new AbortController();
    rest(IDLE_MS, this.#idling.signal)
      .then(async () => this.#worker.terminate())
      .catch(() => {
        // It has something to do again.
      });
  }

  /** The next job starts another. */
  #end(): void {
    this.#owner.onEnd();
    this.#task?.reject(new Error("The thread that copies files has ended."));
  }
}

/** Where our own compiled code is kept, if it is. */
function findCompiled(): string | null {
  const ours = getCompileCacheDir();
  return ours === undefined ? null : path.dirname(ours);
}
