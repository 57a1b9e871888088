import { availableParallelism } from "node:os";
import path from "node:path";

import { ThreadPool } from "../../base/thread-pool.ts";
import type { CopyJob, JobDone, ThreadJob } from "./copy-file.ts";

/** As many as there are processors, and two even where there is one: the disk is slower than either. */
const MOST = Math.min(4, Math.max(2, availableParallelism()));

const pool = createCopyPool(MOST);

export function createCopyPool(most: number): ThreadPool<ThreadJob, JobDone> {
  return new ThreadPool({ program: path.join(import.meta.dirname, "copy-worker.js"), most });
}

/** Has one of a few threads do the job, as soon as one can. */
export async function copyInThread(job: CopyJob): Promise<JobDone> {
  return pool.run({ ...job, flags: null });
}

/** For someone who will copy soon: a thread takes about as long to start as a session with a database. */
export function prepareThreads(): void {
  pool.prepare();
}
