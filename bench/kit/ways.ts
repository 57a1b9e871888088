import path from "node:path";

import type { UndoStack } from "../../src/base/undo-stack.ts";
import { findFreePort } from "../../src/process/process.ts";
import { createdEnvironmentSchema } from "../../src/protocol/schemas.ts";
import type { CreatedEnvironment } from "../../src/protocol/schemas.ts";
import { addressOf, directAddress, untilOk } from "./http.ts";
import type { Address } from "./http.ts";
import { openHere } from "./places.ts";
import { serve } from "./program.ts";
import type { Bench } from "./scene.ts";
import { ROOT, Stage } from "./stage.ts";

export const PROXIES = ["httpxy", "http-proxy-3"] as const;
/** The same server of ours before an app that shares the machine's network: what sealing off costs is between the two. */
const UNSEALED = "ramet (isolation off)";
export const WAYS = ["direct", "ramet", UNSEALED, ...PROXIES] as const;
export type Way = (typeof WAYS)[number];
export type Ways = Readonly<Record<Way, Address>>;

export type OpenWays = {
  readonly ways: Ways;
  /** Who answers each address itself. */
  readonly pids: Readonly<Record<Way, number>>;
  /** How Ramet keeps its app apart. */
  readonly isolation: string | null;
};

/** The app `answers` directly, through Ramet's server, and through plain proxies, each a process of its own. */
export async function openWays(bench: Bench, undo: UndoStack): Promise<OpenWays> {
  const { stage, environment: served } = await openRamet(bench, undo, {});
  const { url, isolation } = served;
  const unsealed = await openRamet(bench, undo, { isolation: "off" });
  // Another of the same, since the environment's own may be in a network of its own.
  const appPort = await findFreePort();
  const environment = { ...stage.environment, PORT: String(appPort), HOST: "127.0.0.1" };
  const bare = { file: process.execPath, args: ["server.mjs"], folder: stage.app, environment };
  const app = await serve(bare, "SIGKILL");
  undo.push(() => app.stop());
  await untilOk(directAddress(appPort), bench.signal);
  const openProxy = async (kind: string): Promise<{ address: Address; pid: number }> => {
    const port = await findFreePort();
    const args = [path.join(ROOT, "bench/proxy.ts"), kind, String(appPort), String(port)];
    const where = { folder: stage.folder, environment: stage.environment };
    const proxy = await serve({ file: process.execPath, args, ...where }, "SIGKILL");
    undo.push(() => proxy.stop());
    await untilOk(directAddress(port), bench.signal);
    return { address: directAddress(port), pid: proxy.pid };
  };
  await untilOk(addressOf(url), bench.signal);
  await untilOk(addressOf(unsealed.environment.url), bench.signal);
  const [first, second] = [await openProxy("httpxy"), await openProxy("http-proxy-3")];
  return {
    ways: {
      direct: directAddress(appPort),
      ramet: addressOf(url),
      [UNSEALED]: addressOf(unsealed.environment.url),
      httpxy: first.address,
      "http-proxy-3": second.address,
    },
    pids: {
      direct: app.pid,
      ramet: await stage.readServerPid(),
      [UNSEALED]: await unsealed.stage.readServerPid(),
      httpxy: first.pid,
      "http-proxy-3": second.pid,
    },
    isolation,
  };
}

/** A server with the app, whose manifest says this besides. */
async function openRamet(
  bench: Bench,
  undo: UndoStack,
  keys: Readonly<Record<string, unknown>>,
): Promise<{ readonly stage: Stage; readonly environment: CreatedEnvironment }> {
  const stage = await Stage.open(await openHere(undo), "answers", bench);
  undo.push(() => stage.close());
  await stage.change(keys);
  return { stage, environment: createdEnvironmentSchema.parse(await stage.ramet("init")) };
}

export function describeIsolation(isolation: string | null): string {
  return `The app behind Ramet is kept apart as by default here: ${isolation ?? "not at all"}. Those asked directly and through the proxies are not.`;
}
