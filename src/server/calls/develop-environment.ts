import { messageOf } from "../../base/problem.ts";
import type { Engine } from "../../engine/engine.ts";
import { CALLS } from "../../protocol/calls.ts";
import { followLog, watchFolder } from "../../runtime/runtime.ts";
import { defineCall } from "../call.ts";

/** Lines from before, for context. */
const LAST_LINES = 20;

/**
 * Keeps it awake and tells what its processes print, until the caller goes. Edits act through the app's own reload;
 * a process without one is started again when files change.
 */
export const developEnvironment = defineCall(
  CALLS["environment.develop"],
  async ({ app, environment }, session) => {
    const live = session.engine.registry.require(app, environment);
    await session.engine.start(live, session);
    const watcher = await watchForRestarts(live);
    try {
      for await (const line of followLog(live.logs, {
        process: null,
        last: LAST_LINES,
        signal: session.signal,
      }))
        session.line(line);
    } finally {
      watcher.close();
    }
    return {};
  },
);

async function watchForRestarts(
  live: ReturnType<Engine["registry"]["require"]>,
): Promise<{ close(): void }> {
  const { processes } = await live.manifest();
  const names = Object.keys(processes).filter((name) => processes[name]?.reloads === false);
  if (names.length === 0) return { close: () => undefined };
  return watchFolder(live.record.files.path, {
    ignore: [],
    onChange: () => {
      for (const name of names) {
        live
          .restartProcess(name)
          .catch((error: unknown) =>
            live.note(`${name} could not be restarted: ${messageOf(error)}`),
          );
      }
    },
  });
}
