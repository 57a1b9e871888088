import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir } from "node:fs/promises";
import path from "node:path";

import { allDone } from "../../base/all-done.ts";
import { isEnvironmentId } from "../../environment/environment.ts";
import type { EnvironmentId, EnvironmentRecord } from "../../environment/environment.ts";
import { DEFAULT_LIMITS } from "../../environment/manifest.ts";
import type { DatabaseLimits } from "../../environment/manifest.ts";
import type { AppName, EnvironmentName } from "../../environment/name.ts";
import { formatMark } from "../../environment/places.ts";
import type { DatabasePlace, RuntimePlace, SystemUser } from "../../environment/places.ts";

/** The two folders that everything of a server lies in; `id` tells its processes from another home's. */
export type EngineHome = {
  readonly folder: string;
  readonly sockets: string;
  readonly id: string;
  /** Holds what other users must reach; else the same as `folder`. */
  readonly shared: string;
};

/** Where everything of an engine lies. Paths of an environment derive from its id, never from its name. */
export class Layout {
  readonly home: EngineHome;

  constructor(home: EngineHome) {
    this.home = home;
  }

  get apps(): string {
    return path.join(this.home.folder, "apps");
  }
  get data(): string {
    return path.join(this.home.shared, "data");
  }
  get keys(): string {
    return path.join(this.home.folder, "keys");
  }
  get postgres(): string {
    return path.join(this.home.shared, "bin", "postgres");
  }
  get templates(): string {
    return path.join(this.home.shared, "templates");
  }

  /** Whoever dials for environments in networks of their own listens here. */
  get wayOut(): string {
    return path.join(this.home.sockets, "way-out");
  }
  get wayOutLog(): string {
    return path.join(this.home.folder, "way-out.log");
  }

  app(app: AppName): string {
    return path.join(this.apps, app);
  }
  appFile(app: AppName): string {
    return path.join(this.app(app), "app.json");
  }
  environments(app: AppName): string {
    return path.join(this.app(app), "environments");
  }
  record(app: AppName, name: EnvironmentName): string {
    return path.join(this.environments(app), `${name}.json`);
  }

  folder(id: EnvironmentId): string {
    return path.join(this.data, id);
  }
  /** Its own files, and beside them what sync keeps: one mount holds both, else nothing could be moved between them. */
  kept(id: EnvironmentId): string {
    return path.join(this.folder(id), "kept");
  }
  files(id: EnvironmentId): string {
    return path.join(this.kept(id), "files");
  }
  logs(id: EnvironmentId): string {
    return path.join(this.folder(id), "logs");
  }
  /** What clients asked of it, written by the server alone. */
  accessLogs(id: EnvironmentId): string {
    return path.join(this.folder(id), "access");
  }
  variables(id: EnvironmentId): string {
    return path.join(this.folder(id), "variables.json");
  }
  /** What sync keeps beside a kept tree: displaced files, and what the tree and each workspace held alike. */
  sync({ path: tree }: Pick<EnvironmentRecord["files"], "path">): string {
    return path.join(path.dirname(tree), "sync");
  }
  /** Home of the environment's own user, and its compile cache. */
  userHome(id: EnvironmentId): string {
    return path.join(this.folder(id), "home");
  }

  /** What is /tmp to its processes. */
  temporary(id: EnvironmentId): string {
    return path.join(this.folder(id), "tmp");
  }

  /** 8 characters name it: a unix socket's path must stay short. */
  databaseSockets(id: EnvironmentId): string {
    return path.join(this.home.sockets, id.slice(0, 8));
  }
  keeperSockets(id: EnvironmentId): string {
    return path.join(this.home.sockets, `${id.slice(0, 8)}k`);
  }

  databasePlace(
    { id, uid, generation = 1 }: DatabaseOwner,
    limits: DatabaseLimits = DEFAULT_LIMITS,
  ): DatabasePlace {
    return {
      limits,
      id,
      uid,
      folder: path.join(this.folder(id), generation === 1 ? "database" : `database.${generation}`),
      socketFolder: this.databaseSockets(id),
      log: path.join(this.folder(id), "database.log"),
      mark: formatMark(this.home.id, id, "database"),
    };
  }

  /** Where one is made that is to replace another, which is served meanwhile. */
  resetPlace(owner: Required<DatabaseOwner>, limits: DatabaseLimits): DatabasePlace {
    return { ...this.databasePlace(owner, limits), socketFolder: this.resetSockets(owner.id) };
  }
  resetSockets(id: EnvironmentId): string {
    return path.join(this.home.sockets, `${id.slice(0, 8)}r`);
  }

  /** Of whoever tends its files for those who visit them. */
  tenderMark(id: EnvironmentId): string {
    return formatMark(this.home.id, id, "tender");
  }

  runtimePlace(id: EnvironmentId, user: SystemUser | null): RuntimePlace {
    return {
      id,
      user,
      socket: path.join(this.keeperSockets(id), "keeper.sock"),
      logs: this.logs(id),
      mark: formatMark(this.home.id, id, "runtime"),
    };
  }
}

type DatabaseOwner = Pick<EnvironmentRecord, "id" | "uid"> & { readonly generation?: number };

/** Makes the folders of all environments. As root they are 0711: other uids reach what is theirs, and list nothing. */
export async function makeHome(layout: Layout): Promise<void> {
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  for (const folder of [
    layout.home.folder,
    layout.home.shared,
    layout.home.sockets,
    layout.data,
    layout.apps,
    layout.templates,
  ]) {
    await mkdir(folder, { recursive: true, mode });
    await chmod(folder, mode);
  }
  await mkdir(layout.keys, { recursive: true, mode: 0o700 });
}

export type NewOwner = {
  readonly id: EnvironmentId;
  readonly uid: number | null;
  readonly user: SystemUser | null;
  /** What a database needs is there already. */
  readonly hasDatabase?: boolean;
  /** It has files of its own. */
  readonly keepsFiles?: boolean;
};

/** Makes the folders of one environment, each owned by whoever writes there. */
export async function makeEnvironmentFolders(
  layout: Layout,
  { id, uid, user, hasDatabase = false, keepsFiles = false }: NewOwner,
): Promise<void> {
  if (!hasDatabase) await makeDatabaseFolders(layout, { id, uid });
  await allDone([
    keepsFiles ? makeOwned(layout.kept(id), null, 0o711) : undefined,
    makeOwned(layout.logs(id), user),
    makeOwned(layout.userHome(id), user),
    makeOwned(layout.temporary(id), user),
    makeKeeperSocketFolder(layout, { id, user }),
  ]);
}

/** Makes what a database alone needs, of an environment that is not there yet. */
export async function makeDatabaseFolders(
  layout: Layout,
  owner: { readonly id: EnvironmentId; readonly uid: number | null },
): Promise<void> {
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  await mkdir(layout.folder(owner.id), { mode });
  await makeDatabaseSocketFolder(layout, owner);
}

/** Sockets may lie on a file system that a restart of the machine empties: their folders are made again at each start. */
export async function makeDatabaseSocketFolder(
  layout: Layout,
  { id, uid }: { readonly id: EnvironmentId; readonly uid: number | null },
): Promise<void> {
  await makeOwned(layout.databaseSockets(id), uid === null ? null : { uid, gid: uid }, 0o711);
}

export async function makeKeeperSocketFolder(
  layout: Layout,
  { id, user }: { readonly id: EnvironmentId; readonly user: Owner | null },
): Promise<void> {
  await makeOwned(layout.keeperSockets(id), user);
}

type Owner = { readonly uid: number; readonly gid: number };

/** For the sockets of a server that is not the environment's own yet. */
export async function makeSocketFolder(folder: string, uid: number | null): Promise<void> {
  await makeOwned(folder, uid === null ? null : { uid, gid: uid }, 0o711);
}

async function makeOwned(folder: string, owner: Owner | null, rootMode = 0o700): Promise<void> {
  const mode = process.getuid?.() === 0 ? rootMode : 0o700;
  await mkdir(folder, { recursive: true, mode });
  await chmod(folder, mode);
  if (owner !== null) await chown(folder, owner.uid, owner.gid);
}

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** 80 random bits in the alphabet of RFC 4648's base 32, lower case. */
export function createEnvironmentId(): EnvironmentId {
  const id = Array.from(randomBytes(16), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
  if (isEnvironmentId(id)) return id;
  throw new Error("An id is made of its own alphabet.");
}
