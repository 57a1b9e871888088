/**
 * A thread that reads and copies files while the one that syncs goes on: each job that it is sent is done in turn. Plain
 * JavaScript, so that what it imports is found compiled: it is given where by the thread that started it.
 */
import { enableCompileCache } from "node:module";
import { parentPort, workerData } from "node:worker_threads";

if (typeof workerData === "string") enableCompileCache(workerData);
const { answerFileJob } = await import("./file-jobs.ts");

parentPort?.on(
  "message",
  (job) => void answerFileJob(job).then((answer) => parentPort?.postMessage(answer)),
);
