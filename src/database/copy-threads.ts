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

const waiting: Task[] = [];
const idle = new Set<CopyThread>();
let started = 0;

/**
 * Has a thread do the job, one after another where there are more jobs than threads. The threads stay for the next
 * jobs, and keep no program from ending.
 */
export async function copyInThread(job: CopyJob): Promise<JobDone> {
  const { promise, resolve, reject } = Promise.withResolvers<JobDone>();
  waiting.push({ job, resolve, reject });
  if (idle.size === 0) startThread();
  for (const thread of idle) thread.takeNext();
  return promise;
}

/** For someone who will copy soon: a thread takes about as long to start as a session with a database. */
export function prepareThreads(): void {
  while (started < MOST) startThread();
}

function startThread(): void {
  if (started >= MOST) return;
  started += 1;
  idle.add(new CopyThread());
}

class CopyThread {
  readonly #worker = new Worker(PROGRAM, { workerData: findCompiled() });
  #task: Task | undefined;
  #idling = new AbortController();

  constructor() {
    this.#worker.on("message", (answer: JobAnswer) => this.#settle(answer));
    this.#worker.on("error", (error) => this.#task?.reject(error));
    this.#worker.on("exit", () => this.#end());
    this.#worker.unref();
    this.#idle();
  }

  takeNext(): void {
    const task = waiting.shift();
    if (task === undefined) return;
    idle.delete(this);
    this.#idling.abort();
    this.#task = task;
    this.#worker.ref();
    this.#worker.postMessage(task.job);
  }

  #settle(answer: JobAnswer): void {
    const task = this.#task;
    this.#task = undefined;
    this.#worker.unref();
    idle.add(this);
    this.#idle();
    this.takeNext();
    if ("done" in answer) task?.resolve(answer.done);
    else {
      const { message, code } = answer.failure;
      task?.reject(Object.assign(new Error(message), code === null ? {} : { code }));
    }
  }

  #idle(): void {
    this.#idling = new AbortController();
    rest(IDLE_MS, this.#idling.signal)
      .then(async () => this.#worker.terminate())
      .catch(() => {
        // It has something to do again.
      });
  }

  /** The next job starts another. */
  #end(): void {
    started -= 1;
    idle.delete(this);
    this.#task?.reject(new Error("The thread that copies files has ended."));
  }
}

/** Where our own compiled code is kept, if it is. */
function findCompiled(): string | null {
  const ours = getCompileCacheDir();
  return ours === undefined ? null : path.dirname(ours);
}
