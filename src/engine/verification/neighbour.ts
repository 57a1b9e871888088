import { chown, mkdir } from "node:fs/promises";
import path from "node:path";

import { isoTime } from "../../base/clock.ts";
import type { UndoStack } from "../../base/undo-stack.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import { createDatabase } from "../../database/database.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import { parseAppName, parseEnvironmentName } from "../../environment/name.ts";
import { CANARY_FILE } from "../../probes/probes.ts";
import { startFirstRuntime } from "../../runtime/runtime.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { setVariables } from "../../variables/variables.ts";
import { makeEnvironmentFolders } from "../home/layout.ts";
import { findProcessUser } from "../home/users.ts";
import type { EngineContext } from "../machine/context.ts";
import { clearEnvironment } from "../parts/local-parts.ts";
import { chooseIsolation } from "../processes/isolation.ts";
import { requireManifest } from "../processes/manifests.ts";
import { assignPorts, planRuntime, variableStore } from "../processes/runtime-planning.ts";
import type { Identity } from "../standbys/standbys.ts";

export type Neighbour = {
  readonly record: EnvironmentRecord;
  /** Of its app, as the machine numbers processes. */
  readonly process: number;
  readonly canary: string;
  /** Where its app is reached from outside. */
  readonly hasOwnNetwork: boolean;
};

export type NeighbourOptions = {
  readonly identity: Pick<Identity, "id" | "uid">;
  readonly canary: string;
  readonly undo: UndoStack;
  readonly signal: AbortSignal;
};

const APP = parseAppName("ramet-neighbour");
const NAME = parseEnvironmentName("neighbour");
const SETTLE_MS = 20_000;

/** Says its canary to whoever asks, and in its log. */
const PROGRAM = `
import { createServer } from "node:http";
import { env } from "node:process";
console.log(env.CANARY);
createServer((_, response) => response.end(env.CANARY)).listen(env.PORT, env.HOST);
`;
const MANIFEST = { processes: { web: { command: "exec node web.mjs" } }, database: {} };

/**
 * An environment like any other, with a canary in each of its parts, but without a record: if the server ends meanwhile,
 * the next one finds something that nobody owns, and clears it.
 */
export async function plantNeighbour(
  context: EngineContext,
  { identity, canary, undo, signal }: NeighbourOptions,
): Promise<Neighbour> {
  const { layout } = context;
  const { id, uid } = identity;
  undo.push(async () => clearEnvironment(context, id));
  const draft = {
    id,
    uid,
    app: APP,
    name: NAME,
    parent: null,
    createdAt: isoTime(context.clock),
    state: { kind: "preparing" },
    files: { kind: "kept", path: layout.files(id) },
    database: null,
    ports: {},
    searchPath: `${path.dirname(process.execPath)}:/usr/bin:/bin`,
    setupStamp: null,
    data: "none",
    missingMigrations: [],
    generation: 1,
    replaced: null,
    remaining: [],
  } as const;
  const user = await findProcessUser(layout, draft);
  await makeEnvironmentFolders(layout, { id, uid, user, keepsFiles: true });
  await writeTree(draft.files.path, { canary, uid });
  const manifest = await requireManifest(draft.files.path);
  await setVariables(variableStore(layout, draft), [{ name: "CANARY", value: canary }], {
    secret: false,
  });
  const postgres = await context.postgres.forNew();
  const database = await createDatabase(postgres, layout.databasePlace(draft), APP);
  signal.throwIfAborted();
  const ports = await assignPorts(context, draft, manifest);
  const record = { ...draft, database, ports };
  const { kind } = await chooseIsolation(context, record, manifest);
  const runtime = await startFirstRuntime(layout.runtimePlace(id, user), {
    hasOwnNetwork: kind === "isolated",
  });
  try {
    await runtime.apply(await planRuntime(context, record, { manifest, isHeld: false }));
    const process = await findApp(runtime, signal);
    return { record, process, canary, hasOwnNetwork: runtime.hasOwnNetwork };
  } finally {
    runtime.disconnect();
  }
}

async function writeTree(
  folder: string,
  { canary, uid }: { readonly canary: string; readonly uid: number | null },
): Promise<void> {
  await mkdir(folder, { mode: 0o755 });
  const files = {
    "ramet.json": JSON.stringify(MANIFEST),
    "web.mjs": PROGRAM,
    [CANARY_FILE]: canary,
  };
  for (const [name, text] of Object.entries(files))
    await writeAtomically(path.join(folder, name), text, { mode: 0o644 });
  if (uid !== null) await chown(folder, uid, uid);
}

async function findApp(runtime: Runtime, signal: AbortSignal): Promise<number> {
  const processes = await runtime.settled({ timeoutMs: SETTLE_MS, signal });
  const [app] = processes;
  if (app?.state === "ready" && app.pid !== null) return app.pid;
  throw new Error(`The neighbour's app did not start: ${JSON.stringify(processes)}`);
}
