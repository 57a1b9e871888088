import { processUnknown } from "../../environment/problems.ts";
import { CALLS } from "../../protocol/calls.ts";
import { followLog, readLog } from "../../runtime/runtime.ts";
import { defineCall } from "../call.ts";

const STEPS = ["setup", "migrate", "seed"];

export const readLogs = defineCall(
  CALLS["environment.logs"],
  async ({ app, environment, process, follow, last }, { engine, line, signal }) => {
    const live = engine.registry.require(app, environment);
    const known = [...live.processes().map(({ name }) => name), ...STEPS];
    if (process !== null && !known.includes(process)) throw processUnknown(process, known);
    if (!follow) {
      for (const one of await readLog(live.logs, { process, last })) line(one);
      return {};
    }
    await live.usage.during(async () => {
      for await (const one of followLog(live.logs, { process, last, signal })) line(one);
    });
    return {};
  },
);
