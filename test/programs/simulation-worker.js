/** A thread that runs the whole engine again and again: each list of runs that it is sent, in turn. */
import { parentPort } from "node:worker_threads";

import { answerRuns } from "../sync/many-simulations.ts";

// Thousands of errors are thrown a second, as is to be: where from, nobody asks.
Error.stackTraceLimit = 0;

parentPort?.on(
  "message",
  (runs) => void answerRuns(runs).then((answer) => parentPort?.postMessage(answer)),
);
