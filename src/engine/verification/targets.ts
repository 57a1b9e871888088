import { readdir, readlink } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import path from "node:path";

import { exists } from "../../base/remove-inside.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import type { Manifest } from "../../environment/manifest.ts";
import { MARK_VARIABLE } from "../../environment/places.ts";
import type { PlantedTargets, WitnessReport } from "../../probes/probes.ts";
import { findMarked } from "../../process/process.ts";
import { findWorkspace } from "../../workspace/workspace.ts";
import type { Layout } from "../home/layout.ts";
import { listSpareBases } from "../home/spare-file.ts";
import { findProcessUser } from "../home/users.ts";
import type { EngineContext } from "../machine/context.ts";
import type { Neighbour } from "./neighbour.ts";

const PERSONAL = [
  ".ssh",
  ".aws",
  ".bash_history",
  ".bashrc",
  ".config",
  ".docker",
  ".gitconfig",
  ".gnupg",
  ".netrc",
  ".npmrc",
  ".profile",
];

export type Planted = {
  readonly manifest: Manifest;
  readonly neighbour: Neighbour;
  readonly witness: WitnessReport;
};

/** What there is to get hold of for one environment: its neighbour's, its own that it must not have, and the machine's. */
export async function findTargets(
  context: EngineContext,
  record: EnvironmentRecord,
  { manifest, neighbour, witness }: Planted,
): Promise<PlantedTargets> {
  const { layout } = context;
  return {
    own: await describeOwn(layout, record),
    neighbour: describeNeighbour(layout, neighbour),
    witness,
    server: describeServer(context),
    machine: {
      hostname: hostname(),
      personal: await listPersonal(layout, record),
      disks: await listDisks(),
      processNamespace: await readlink("/proc/self/ns/pid"),
      groups: context.groups?.folders(record.id) ?? [],
    },
    network: manifest.network,
  };
}

async function describeOwn(
  layout: Layout,
  record: EnvironmentRecord,
): Promise<PlantedTargets["own"]> {
  const { socket, mark } = layout.runtimePlace(record.id, null);
  const [keeper] = await findMarked(MARK_VARIABLE, `${mark}.keeper`);
  if (keeper === undefined) throw new Error("Whatever runs a step has a keeper.");
  return {
    tree: record.files.path,
    home: layout.userHome(record.id),
    keeper: keeper.pid,
    keeperSocket: socket,
    logs: layout.logs(record.id),
    databaseSocket: databaseSocket(layout, record),
    guarded: await listGuarded(record),
  };
}

async function listGuarded({ files }: EnvironmentRecord): Promise<readonly string[]> {
  if (files.kind === "kept") return [];
  const { root, git } = await findWorkspace(files.path);
  const hooks = git === null ? [] : [path.join(git.common, "hooks")];
  return filterExisting([...hooks, path.join(root, ".ramet")]);
}

function describeNeighbour(
  layout: Layout,
  { record, process, hasOwnNetwork }: Neighbour,
): PlantedTargets["neighbour"] {
  const { id } = record;
  const port = record.ports["web"] ?? 0;
  return {
    id,
    folder: layout.folder(id),
    tree: record.files.path,
    variables: layout.variables(id),
    logs: layout.logs(id),
    database: layout.databasePlace(record).folder,
    databaseSocket: databaseSocket(layout, record),
    databaseName: record.app,
    keeperSocket: layout.runtimePlace(id, null).socket,
    app: hasOwnNetwork
      ? { path: path.join(layout.keeperSockets(id), String(port)) }
      : { host: "127.0.0.1", port },
    process,
  };
}

function describeServer({ layout, listeners }: EngineContext): PlantedTargets["server"] {
  const { folder, sockets } = layout.home;
  return {
    process: process.pid,
    home: folder,
    data: layout.data,
    apps: layout.apps,
    keys: layout.keys,
    token: path.join(folder, "token"),
    file: path.join(folder, "server.json"),
    sockets: [sockets, path.join(folder, "run")].map((one) => path.join(one, "server.sock")),
    wayOut: layout.wayOut,
    spares: listSpareBases(layout),
    databasePort: listeners().databasePort,
  };
}

/** In the folders of whoever its processes run as, of the server's user and of root, as far as we can see. */
async function listPersonal(layout: Layout, record: EnvironmentRecord): Promise<readonly string[]> {
  const user = await findProcessUser(layout, record);
  const own = layout.userHome(record.id);
  const homes = new Set([user?.home ?? homedir(), homedir(), "/root"]);
  homes.delete(own);
  return filterExisting(
    [...homes].flatMap((home) => PERSONAL.map((name) => path.join(home, name))),
  );
}

async function listDisks(): Promise<readonly string[]> {
  // A machine without any has no such folder.
  const names = await readdir("/sys/block").catch(() => []);
  return filterExisting(names.map((name) => `/dev/${name}`));
}

function databaseSocket(layout: Layout, { id }: EnvironmentRecord): string {
  return path.join(layout.databaseSockets(id), ".s.PGSQL.5432");
}

async function filterExisting(files: readonly string[]): Promise<readonly string[]> {
  // What we cannot even look at, such as root's, is no target that we know of.
  const found = await Promise.all(files.map(async (file) => exists(file).catch(() => false)));
  return files.filter((_, index) => found[index]);
}
