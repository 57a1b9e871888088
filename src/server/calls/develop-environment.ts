import { isoTime, systemClock } from "../../base/clock.ts";
import { messageOf } from "../../base/problem.ts";
import type { Engine } from "../../engine/engine.ts";
import type { LogLine } from "../../environment/environment.ts";
import { LOCK_FILES } from "../../environment/lock-files.ts";
import { CALLS } from "../../protocol/calls.ts";
import { followLog, watchFolder } from "../../runtime/runtime.ts";
import { describeMerge, keepMerged } from "../../sync/sync.ts";
import type { Sides } from "../../sync/sync.ts";
import { defineCall } from "../session/call.ts";
import { ownerOnly } from "../session/problems.ts";
import type { Session } from "../session/session.ts";
import { requireSides } from "../session/sides.ts";

type Live = ReturnType<Engine["registry"]["require"]>;

/** Lines from before, for context. */
const LAST_LINES = 20;
/** The name that lines about transferred files bear. */
const SYNC = "sync";

/**
 * Keeps it awake and tells what its processes print, until the caller goes. Edits act through the app's own reload;
 * a process without one is started again when files change. Both sides' files are kept the same meanwhile.
 */
export const developEnvironment = defineCall(
  CALLS["environment.develop"],
  async ({ app, environment, workspace, prefer }, session) => {
    const { engine } = session;
    const live = engine.registry.require(app, environment);
    // A path from afar would be one of this machine, which is not the caller's to name.
    if (workspace !== null && session.caller.kind !== "owner") throw ownerOnly("files.push");
    const sides = workspace === null ? null : await requireSides(engine, live, workspace);
    await engine.start(live, session);
    const ended = new AbortController();
    const signal = AbortSignal.any([session.signal, ended.signal]);
    const watcher = await watchForRestarts(live);
    const leave = live.usage.occupy();
    try {
      const preference = prefer === "environment" ? "remote" : prefer;
      await untilFirstEnds(ended, [
        showLogs(live, { ...session, signal }),
        ...(sides === null ? [] : [mergeFiles(live, sides, { ...session, signal, preference })]),
      ]);
    } finally {
      watcher.close();
      leave();
    }
    return {};
  },
);

/** The end of one is that of all: a problem of the files ends the logs as well. */
async function untilFirstEnds(
  ended: AbortController,
  works: readonly Promise<void>[],
): Promise<void> {
  try {
    await Promise.race(works);
  } finally {
    ended.abort();
    await Promise.allSettled(works);
  }
}

async function showLogs(live: Live, { line, signal }: Session): Promise<void> {
  const options = { process: null, last: LAST_LINES, signal };
  for await (const one of followLog(live.logs, options)) line(one);
}

async function mergeFiles(
  live: Live,
  sides: Sides,
  { preference, ...session }: Session & { readonly preference: "local" | "remote" | null },
): Promise<void> {
  const { engine, line, signal } = session;
  const say = (text: string): void => line(toLine(text));
  try {
    for await (const merged of keepMerged(sides, { prefer: preference, signal })) {
      for (const text of describeMerge(merged)) say(text);
      if (!merged.toRemote.some((name) => LOCK_FILES.includes(name))) continue;
      await engine
        .filesChanged(live, session)
        // What failed shows among the environment's problems as well; files go on being transferred.
        .catch((error: unknown) => say(messageOf(error)));
    }
  } catch (error) {
    // What a caller who has gone cut short is no failure.
    if (!signal.aborted) throw error;
  }
}

function toLine(text: string): LogLine {
  const time = isoTime(systemClock);
  return { time, process: SYNC, stream: "ramet", level: "info", message: text, fields: {}, text };
}

async function watchForRestarts(live: Live): Promise<{ close(): void }> {
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
