import { lchown, mkdir, open, rm } from "node:fs/promises";
import path from "node:path";

import { waitFor } from "../base/clock.ts";
import { compiledCodeVariable } from "../base/own-program.ts";
import { exists } from "../base/remove-inside.ts";
import { MARK_VARIABLE, type RuntimePlace } from "../environment/places.ts";
import type { Channel, Launch } from "../process/process.ts";
import {
  endMarked,
  isRunning,
  startDetached,
  startDetachedWithChannel,
} from "../process/process.ts";
import { type KeeperClient, findKeeper } from "./client.ts";
import { keeperFailed } from "./problems.ts";
import { enterOwnNetwork } from "./sandbox/own-network.ts";
import { SEARCH_PATH } from "./sandbox/search-path.ts";

/** Said to a keeper that runs in a network of its own. */
const OWN_NETWORK = "own-network";

const START_MS = 20_000;
/** The keeper ends its processes when it is asked to end, and they may take 5 s. */
const KEEPER_GRACE_MS = 12_000;
const LEFTOVER_GRACE_MS = 2_000;
/** Halves what a flood of output leaves in the keeper's memory; its processes do not see this. */
const NODE_OPTIONS = "--max-semi-space-size=1";
const MAX_QUOTE_BYTES = 2_000;

export type KeeperLaunch = {
  readonly program: readonly string[];
  readonly hasOwnNetwork: boolean;
  readonly handsOver: boolean;
  readonly onStarted?: (pid: number) => Promise<void>;
};

export type StartedKeeper = {
  readonly client: KeeperClient;
  /** By which it hands connections over; null: it does not. */
  readonly channel: Channel | null;
};

/** @throws `keeper_failed`, `program_missing`, `program_failed` */
export async function startKeeper(
  place: RuntimePlace,
  { program, hasOwnNetwork, handsOver, onStarted }: KeeperLaunch,
): Promise<StartedKeeper> {
  const [file, ...args] = program;
  if (file === undefined) throw new Error("A keeper's program has a file.");
  await makeLogs(place);
  const launch = {
    file,
    args: [...args, place.socket, ...(hasOwnNetwork ? [OWN_NETWORK] : [])],
    folder: "/",
    environment: keeperEnvironment(place),
    user: place.user,
  };
  const isRoot = (place.user?.uid ?? process.getuid?.()) === 0;
  const { pid, channel } = await launchKeeper(
    hasOwnNetwork ? enterOwnNetwork(launch, isRoot) : launch,
    { handsOver, output: keeperLog(place) },
  );
  await onStarted?.(pid);
  const client = await waitFor(
    async () => (await findKeeper(place)) ?? (isRunning(pid) ? undefined : null),
    {
      timeoutMs: START_MS,
      everyMs: 4,
    },
  );
  if (client) return { client, channel };
  await clearLeftovers(place);
  throw keeperFailed(keeperLog(place), await quoteLog(place));
}

async function launchKeeper(
  launch: Launch,
  { handsOver, output }: { readonly handsOver: boolean; readonly output: string },
): Promise<{ readonly pid: number; readonly channel: Channel | null }> {
  if (handsOver) return startDetachedWithChannel(launch, { output });
  return { pid: await startDetached(launch, { output }), channel: null };
}

/** Ends whatever bears this environment's marks, the keeper first, lest it start anew what we end. */
export async function clearLeftovers(place: RuntimePlace): Promise<void> {
  await endMarked(MARK_VARIABLE, keeperMark(place), { graceMs: KEEPER_GRACE_MS });
  await endMarked(MARK_VARIABLE, place.mark, { graceMs: LEFTOVER_GRACE_MS });
  await rm(place.socket, { force: true });
}

/** Another than its processes', so that it does not end itself when it sweeps. */
function keeperMark(place: RuntimePlace): string {
  return `${place.mark}.keeper`;
}

function keeperEnvironment(place: RuntimePlace): Readonly<Record<string, string>> {
  return {
    PATH: SEARCH_PATH,
    NODE_OPTIONS,
    // Run from source it needs no 36 MB then to strip its modules' types.
    ...compiledCodeVariable(),
    [MARK_VARIABLE]: keeperMark(place),
    ...(place.user === null ? {} : { HOME: place.user.home, USER: place.user.name }),
  };
}

function keeperLog(place: RuntimePlace): string {
  return path.join(place.logs, "keeper.log");
}

async function makeLogs(place: RuntimePlace): Promise<void> {
  if (await exists(place.logs)) return;
  await mkdir(place.logs, { recursive: true, mode: 0o700 });
  if (place.user !== null) await lchown(place.logs, place.user.uid, place.user.gid);
}

async function quoteLog(place: RuntimePlace): Promise<string> {
  const handle = await open(keeperLog(place), "r");
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, MAX_QUOTE_BYTES);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString("utf8").trim() || "it printed nothing";
  } finally {
    await handle.close();
  }
}
