/** A thread that runs the whole engine again and again: each list of runs that it is sent, in turn. */
import { setPriority } from "node:os";
import { parentPort } from "node:worker_threads";

import { answerRuns } from "../sync/many-simulations.ts";

// Only what other programs leave: tests beside it wait for theirs. On Linux it is this thread alone that gives way.
setPriority(19);
// Thousands of errors are thrown a second, as is to be: where from, nobody asks.
Error.stackTraceLimit = 0;

parentPort?.on(
  "message",
  (runs) => void answerRuns(runs).then((answer) => parentPort?.postMessage(answer)),
);
