/** What runs on this machine for a stage's home, and how it is ended the hard way. */
import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";

import { expect } from "vitest";
import { z } from "zod";

import { sleep } from "../../src/base/clock.ts";
import { MARK_VARIABLE } from "../../src/environment/places.ts";
import { findFreePort, findMarked, isRunning, signalProcess } from "../../src/process/process.ts";
import { environmentSchema, serverStatusSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView, ServerStatus } from "../../src/protocol/schemas.ts";
import { writeServerFile } from "../../src/server/presence/server-file.ts";
import { eventually, fetchText } from "./stage.ts";
import type { Stage } from "./stage.ts";

/** Ports that no other server takes while this home's is down: those look for theirs from 7420 on. */
export async function reservePorts(stage: Stage): Promise<void> {
  await mkdir(stage.home, { mode: 0o711 });
  await writeServerFile(path.join(stage.home, "server.json"), {
    homeId: randomBytes(6).toString("hex"),
    gatewayPort: await findFreePort(),
    databasePort: await findFreePort(),
    pid: null,
    startedAt: null,
    version: null,
  });
}

const serverFile = z.object({ homeId: z.string() });

/** Processes of environments that bear this home's mark: keepers, applications, databases; of one where it is given. */
export async function listProcesses(
  stage: Stage,
  id = "",
): Promise<readonly { pid: number; role: string }[]> {
  const text = await readFile(path.join(stage.home, "server.json"), "utf8");
  const { homeId } = serverFile.parse(JSON.parse(text));
  const marked = await findMarked(MARK_VARIABLE, `${homeId}.${id}`);
  return marked
    .map(({ pid, mark }) => ({ pid, role: mark.split(".").slice(2).join(".") }))
    .filter(({ role }) => role !== "dialer");
}

/** Of one environment: `runtime.keeper`, `runtime`, `database`. */
export async function requirePid(
  stage: Stage,
  { id }: Pick<EnvironmentView, "id">,
  role: string,
): Promise<number> {
  const found = (await listProcesses(stage, id)).find((one) => one.role === role);
  if (found === undefined) throw new Error(`Nothing runs as ${role} of ${id}.`);
  return found.pid;
}

/** As `kill -9` does; resolves when all are gone. */
export async function killHard(pids: readonly number[]): Promise<void> {
  for (const pid of pids) signalProcess(pid, "SIGKILL");
  await eventually(async () => expect(pids.filter(isRunning)).toEqual([]));
}

/** What the running server says of itself; it is started where none runs. */
export async function requireServer(stage: Stage, folder: string): Promise<ServerStatus> {
  await stage.json(folder, ["app", "list"]);
  return serverStatusSchema.parse(await stage.json(folder, ["server", "status"]));
}

export async function killServer(stage: Stage, folder: string): Promise<void> {
  const { pid } = await requireServer(stage, folder);
  if (pid !== null) await killHard([pid]);
}

export async function show(stage: Stage, folder: string, name: string): Promise<EnvironmentView> {
  return environmentSchema.parse(await stage.json(folder, ["env", "show", name]));
}

/** Asks an environment's own process again and again; tells every answer that was not the first one's. */
export function watchAnswers(url: string): { stop(): Promise<readonly string[]> } {
  const answers = new Set<string>();
  const stopping = new AbortController();
  const ask = async (): Promise<string> => {
    try {
      return (await fetchText(url)).text;
    } catch (error) {
      return String(error);
    }
  };
  const asking = (async () => {
    while (!stopping.signal.aborted) {
      answers.add(await ask());
      await sleep(20);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await asking;
      return [...answers];
    },
  };
}
