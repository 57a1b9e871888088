import { processUnknown } from "../../environment/problems.ts";
import { CALLS } from "../../protocol/calls.ts";
import { followLog, readLog } from "../../runtime/runtime.ts";
import { defineCall } from "../session/call.ts";

const STEPS = ["setup", "migrate", "seed"];

export const readLogs = defineCall(
  CALLS["environment.logs"],
  async ({ app, environment, follow, access, ...question }, { engine, line, signal }) => {
    const live = engine.registry.require(app, environment);
    const known = [...live.processes().map(({ name }) => name), ...STEPS];
    const { process } = question;
    if (process !== null && !known.includes(process)) throw processUnknown(process, known);
    const logs = access ? live.requests.logs : live.logs;
    if (!follow) {
      for (const one of await readLog(logs, question)) line(one);
      return {};
    }
    await live.usage.during(async () => {
      for await (const one of followLog(logs, { ...question, signal })) line(one);
    });
    return {};
  },
);
