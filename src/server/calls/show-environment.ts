import type { Engine } from "../../engine/engine.ts";
import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";
import { showTo } from "../session/shown.ts";

/** Longer than to count most environments' bytes takes. */
const MEASURING_MS = 500;

export const showEnvironment = defineCall(
  CALLS["environment.show"],
  async ({ app, environment, measure }, { engine, ...session }) => {
    const making = (await engine.describeAll(engine.registry.requireApp(app))).find(
      ({ name, state }) => name === environment && state === "creating",
    );
    if (making !== undefined) return showTo(session, making);
    const live = engine.registry.require(app, environment);
    if (measure) await measureLive(engine, live);
    return showTo(session, await engine.describe(live));
  },
);

/** Commands ask who is there on their way to something else: none but those that show it to people wait for that. */
async function measureLive(
  engine: Engine,
  live: ReturnType<Engine["registry"]["require"]>,
): Promise<void> {
  await Promise.all([
    engine.ownBytes.find(live, { timeoutMs: MEASURING_MS }),
    engine.standbys.measure(live.record.id),
  ]);
}
