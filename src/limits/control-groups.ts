import { constants, readFileSync } from "node:fs";
import { access, mkdir, open, readdir, readFile, rmdir } from "node:fs/promises";
import path from "node:path";

import { waitFor } from "../base/clock.ts";
import { hasErrorCode } from "../base/problem.ts";
import {
  describeAccount,
  groupAt,
  type Hierarchy,
  listAncestors,
  listEventFiles,
  parseCount,
  parseMounts,
  parseOwnPath,
  parsePressure,
  parseUsage,
  planSettings,
} from "./group-files.ts";
import { CONTROLLERS, type Controller, type Limits } from "./judge.ts";

/** What the names of our groups begin with. */
const OURS = "ramet";
/** What has just ended may still be counted in its group. */
const EMPTY_LIMIT_MS = 2_000;

/** Parts of the time, from 0 to 1. */
export type Pressure = { readonly cpu: number; readonly memory: number; readonly io: number };

/** Counted since the group was made. */
export type GroupEvents = { readonly kills: number; readonly refusals: number };

/** Groups of the processes of one home's environments. They bound what is in them, whoever watches. */
export class ControlGroups {
  readonly kind: Hierarchy["kind"];
  readonly #hierarchy: Hierarchy;
  #isRefused = false;

  constructor(hierarchy: Hierarchy) {
    this.#hierarchy = hierarchy;
    this.kind = hierarchy.kind;
  }

  /** What they bound; nothing where the kernel lets us make groups, and put nobody into them. */
  get controllers(): ReadonlySet<Controller> {
    return new Set(this.#isRefused ? [] : this.#hierarchy.places.keys());
  }

  /** Makes the group, or bounds anew the one that is there. One that somebody left, with all that was counted in it, is made anew. */
  async set(name: string, limits: Limits): Promise<void> {
    for (const folder of this.folders(name)) {
      await removeEmpty(folder);
      await mkdir(folder, { recursive: true });
    }
    for (const { file, value } of planSettings(this.#hierarchy, name, limits))
      await write(file, value);
  }

  /** Puts a process in, and with it all that it will start. */
  async put(name: string, pid: number): Promise<void> {
    try {
      for (const folder of this.folders(name))
        await write(path.join(folder, "cgroup.procs"), String(pid));
    } catch (error) {
      this.#isRefused ||= hasErrorCode(error, "EACCES", "EPERM");
      throw error;
    }
  }

  /** Where the kernel keeps what it knows of a group. */
  folders(name: string): readonly string[] {
    return this.#places().map((place) => groupAt(place, name));
  }

  /** How much of the last ten seconds somebody in it waited for each; null: the kernel does not tell. */
  async readPressure(name: string): Promise<Pressure | null> {
    if (this.kind === "v1") return null;
    const [folder = ""] = this.folders(name);
    const [cpu, memory, io] = await Promise.all(
      ["cpu", "memory", "io"].map(async (what) =>
        parsePressure(await read(path.join(folder, `${what}.pressure`))),
      ),
    );
    if (cpu === undefined || memory === undefined || io === undefined) return null;
    return { cpu, memory, io };
  }

  async readEvents(name: string): Promise<GroupEvents> {
    const { kills, refusals } = listEventFiles(this.#hierarchy, name);
    return {
      kills: parseCount(await read(kills), "oom_kill"),
      refusals: parseCount(await read(refusals), "max"),
    };
  }

  /**
   * Processor time that it has taken since it was made; null: that is counted nowhere, or it has ended. Read at once: it is
   * asked for several times a second, and the kernel answers from memory.
   */
  readProcessorMs(name: string): number | null {
    const account = describeAccount(this.#hierarchy, name);
    if (account === null) return null;
    try {
      return parseUsage(readFileSync(account.file, "utf8")) / account.perMs;
    } catch (error) {
      if (hasErrorCode(error, "ENOENT", "ENODEV")) return null;
      throw error;
    }
  }

  /** Whether whoever wants a processor goes before all in it. Nothing where the kernel knows no such groups. */
  async letYield(name: string, yields: boolean): Promise<void> {
    const place = this.#hierarchy.places.get("cpu");
    if (place === undefined) return;
    try {
      await write(path.join(groupAt(place, name), "cpu.idle"), yields ? "1" : "0");
    } catch (error) {
      // Before Linux 5.15, or it has ended meanwhile.
      if (!hasErrorCode(error, "ENOENT", "EACCES", "EPERM", "ENODEV")) throw error;
    }
  }

  /** From now on nobody in it starts another. Resolves with who is in it. */
  async seal(name: string): Promise<readonly number[]> {
    const pids = this.#hierarchy.places.get("pids");
    if (pids !== undefined) await write(path.join(groupAt(pids, name), "pids.max"), "0");
    const [folder] = this.folders(name);
    const members = folder === undefined ? "" : await read(path.join(folder, "cgroup.procs"));
    return members.split("\n").filter(Boolean).map(Number);
  }

  /** Once it is empty; one that does not become so is left. */
  async remove(name: string): Promise<void> {
    for (const folder of this.folders(name))
      await waitFor(async () => (await removeEmpty(folder)) || undefined, {
        timeoutMs: EMPTY_LIMIT_MS,
      });
  }

  /** Removes what is empty of all. */
  async clear(): Promise<void> {
    for (const place of this.#places()) {
      const [above, start] = [path.dirname(place), path.basename(place)];
      const names = (await listFolders(above)).filter((name) => name.startsWith(start));
      for (const name of names) await removeEmpty(path.join(above, name));
    }
  }

  #places(): readonly string[] {
    const { places, accounts } = this.#hierarchy;
    return [...new Set([...places.values(), ...(accounts === null ? [] : [accounts])])];
  }
}

/** Tries v2 first: there a group has everything in one place. */
export async function openGroups(homeId: string): Promise<ControlGroups | null> {
  if (process.platform !== "linux") return null;
  const mounts = parseMounts(await read("/proc/self/mountinfo"));
  const unified = mounts.find(({ type }) => type === "cgroup2");
  const second = unified === undefined ? undefined : await openSecond(unified.point, homeId);
  const hierarchy = second ?? (await openFirst(mounts, homeId));
  return hierarchy.places.size === 0 ? null : new ControlGroups(hierarchy);
}

/** The topmost folder above ours that was handed to us: as root the hierarchy's own. */
async function openSecond(point: string, homeId: string): Promise<Hierarchy | undefined> {
  const own = parseOwnPath(await read("/proc/self/cgroup"));
  for (const top of listAncestors(point, own)) {
    const place = placeIn(top, homeId);
    if (!(await isWritable(top)) || !(await mayMake(place))) continue;
    await handDown(top);
    const given = (await read(path.join(top, "cgroup.subtree_control"))).split(/\s+/);
    const controllers = CONTROLLERS.filter((name) => given.includes(name));
    const places = new Map(controllers.map((name) => [name, place]));
    if (places.size > 0) return { kind: "v2", places, accounts: place };
  }
  return undefined;
}

function placeIn(folder: string, homeId: string): string {
  return path.join(folder, `${OURS}.${homeId}.`);
}

/** Each controller for itself: one that is not there, or not handed on, keeps the others from nothing. */
async function handDown(folder: string): Promise<void> {
  for (const controller of CONTROLLERS)
    await write(path.join(folder, "cgroup.subtree_control"), `+${controller}`).catch(
      () => undefined,
    );
}

async function openFirst(
  mounts: ReturnType<typeof parseMounts>,
  homeId: string,
): Promise<Hierarchy> {
  const findPlace = async (what: string): Promise<string | null> => {
    const mount = mounts.find(
      ({ type, options }) => type === "cgroup" && options.split(",").includes(what),
    );
    const place = mount === undefined ? null : placeIn(mount.point, homeId);
    return place !== null && (await mayMake(place)) ? place : null;
  };
  const places = new Map<Controller, string>();
  for (const controller of CONTROLLERS) {
    const place = await findPlace(controller);
    if (place !== null) places.set(controller, place);
  }
  return { kind: "v1", places, accounts: places.size === 0 ? null : await findPlace("cpuacct") };
}

async function isWritable(folder: string): Promise<boolean> {
  try {
    await access(path.join(folder, "cgroup.subtree_control"), constants.W_OK);
    return true;
  } catch {
    // Not handed to us, or not there.
    return false;
  }
}

/** Found by trying. */
async function mayMake(place: string): Promise<boolean> {
  const tried = groupAt(place, `tried-${process.pid}`);
  try {
    await mkdir(tried);
    return await removeEmpty(tried);
  } catch {
    // Not ours to make: the next way is tried.
    return false;
  }
}

/** Whether nothing is there any more. */
async function removeEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return true;
    if (hasErrorCode(error, "EBUSY", "ENOTEMPTY", "EACCES", "EPERM")) return false;
    throw error;
  }
}

async function listFolders(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return [];
    throw error;
  }
}

/** Empty where it is not there. */
async function read(file: string | null): Promise<string> {
  try {
    return file === null ? "" : await readFile(file, "utf8");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENODEV", "EACCES")) return "";
    throw error;
  }
}

/** The kernel's files are written in one piece, and replaced by nobody. */
async function write(file: string, value: string): Promise<void> {
  const handle = await open(file, constants.O_WRONLY);
  try {
    await handle.write(value);
  } finally {
    await handle.close();
  }
}
