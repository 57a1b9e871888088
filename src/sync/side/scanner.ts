import type { Clock } from "../../base/clock.ts";
import { Problem } from "../../base/problem.ts";
import { splitPath } from "../core/paths.ts";
import { type Entry, isSameEntry } from "../core/tree.ts";
import { type Disk, inTree, type Listed, type Place, type Seen } from "../disk/disk.ts";
import { mayBePart } from "../disk/folder-stamp.ts";
import { explainUnread, syncUnreadable } from "../disk/problems.ts";
import { readEntry } from "../disk/read-entry.ts";
import { areAll, FolderStamps, isIgnoredAsBefore, type Stamped } from "./folder-stamps.ts";
import type { KeptHashes } from "./kept-hashes.ts";
import { isStill, type Known, withoutOutside } from "./known.ts";
import {
  addIgnored,
  findNearest,
  joinPath,
  type Listing,
  type Looked,
  nameIn,
  repositoryName,
  withoutNames,
} from "./listed-names.ts";
import { type ReadAhead, readAhead } from "./read-ahead.ts";
import type { Look, LookOptions } from "./side.ts";

type LevelOptions = Pick<LookOptions, "findIgnored"> & { readonly isAll: boolean };

/** Of what is read again whatever is seen. */
const UNSEEN = { bytes: "", version: "", isExact: false } as const;
/** Some disks count time in steps of so long. */
const RACY_MS = 2_000;
const MAX_ENTRIES = 500_000;
/** Somebody writes to it all the time: the next look will find it. */
const MOST_READS = 3;

export type ScannerOptions = {
  readonly disk: Disk;
  readonly clock: Clock;
  /** Of its files, as an earlier command knew them. */
  readonly hashes?: KeptHashes | undefined;
  /** What was read of a file since the last look, and of which version. */
  readonly recall?: ((path: string) => ReadAhead | undefined) | undefined;
  /** Told of each folder before it is listed; true: it was not known, and must be looked at. */
  readonly onFolder: (folder: string) => boolean;
  /** Told of each that is no part of the tree any more. */
  readonly onGone: (folder: string) => void;
};

/**
 * Knows a tree as it was when it was last looked at, and reads again only what has changed since. What is left out by
 * name or by rule is no part of it, and neither is a link that leads out of it.
 */
export class Scanner {
  readonly #options: ScannerOptions;
  readonly #files = new Map<string, Known>();
  /** The names in each folder that is part of the tree: its files, links and folders. */
  readonly #folders = new Map<string, Set<string>>();
  /** What rules leave out, as they were when everything was last looked at. */
  readonly #ignored = new Set<string>();
  readonly #unknown = new Map<string, Problem>();
  #changes = new Map<string, Entry | undefined>();
  #ahead: Map<string, ReadAhead> = new Map();
  readonly #stamps = new FolderStamps();
  /** What stands for the rules as they were in the last look at everything. */
  #rules: string | undefined;
  /** Folders that threads found as they were, in this look. */
  #same: Map<string, Stamped> = new Map();

  constructor(options: ScannerOptions) {
    this.#options = options;
  }

  /** @param hinted folders in which something may have happened */
  async look(options: LookOptions, hinted: Iterable<string>): Promise<Look> {
    const isAll = options.scope === "all" || !this.#folders.has("");
    const { onFolder, disk } = this.#options;
    this.#same = isAll
      ? await this.#stamps.findSame(disk.bulk, onFolder)
      : new Map<string, Stamped>();
    if (!isAll) await this.#lookFrom(findNearest(this.#folders, hinted), options, false);
    else if (!(await this.#isUnchanged(options))) await this.#lookFrom([""], options, true);
    const changes = this.#changes;
    this.#changes = new Map();
    return { changes, unknown: new Map(this.#unknown), isPartial: false };
  }

  /** Whether all folders are as they were, and the rules say what they said: then nobody need be asked about any name. */
  async #isUnchanged({ identifyRules }: LookOptions): Promise<boolean> {
    if (this.#rules === undefined || this.#unknown.size > 0 || !areAll(this.#same)) return false;
    return this.#rules === (await identifyRules?.());
  }

  async #lookFrom(
    folders: readonly string[],
    { scope, findIgnored, identifyRules }: LookOptions,
    isAll: boolean,
  ): Promise<void> {
    if (scope === "all") this.#ignored.clear();
    if (scope === "all") this.#rules = undefined;
    for (let level = folders; level.length > 0;) {
      level = await this.#lookAtLevel(level, { isAll, findIgnored });
      if (this.#files.size + this.#folders.size > MAX_ENTRIES)
        throw syncUnreadable("", `it holds more than ${MAX_ENTRIES} files`);
    }
    if (scope === "all") this.#rules = await identifyRules?.();
  }

  /** What was put there, or nothing: whoever put it saw to it that nobody else did. */
  learn(path: string, entry: Entry | undefined, seen: Seen | undefined): void {
    const name = path.replace(/\/$/, "");
    if (entry !== undefined) {
      const { bytes, version, isExact } = seen ?? UNSEEN;
      this.#files.set(path, { entry, bytes, version, isRacy: !isExact });
      if (entry.kind === "folder" && !this.#folders.has(name)) this.#folders.set(name, new Set());
      this.#noteName(name);
      return;
    }
    this.#stamps.forget(name);
    this.#files.delete(path);
    if (path !== name) this.#folders.delete(name);
    const { parent, name: last } = splitPath(name);
    this.#folders.get(parent)?.delete(last);
  }

  /** What stands there as it was read; null: it is not known to be that, or to be as it was. */
  findKnown(path: string, entry: Entry): Known | null {
    const known = this.#files.get(path);
    return known === undefined || known.isRacy || !isSameEntry(known.entry, entry) ? null : known;
  }

  /** Whether what stands there is still what was read there. @param moved where it was moved to, if it was */
  isAsRead(path: string, entry: Entry, moved?: Place): boolean {
    const known = this.findKnown(path, entry);
    if (known === null) return false;
    const seen = this.#options.disk.see(moved ?? inTree(path));
    return moved === undefined ? seen?.version === known.version : isStill(known, seen);
  }

  /** In its folder, and that in the one above it, which may be new too. */
  #noteName(path: string): void {
    this.#stamps.forget(path);
    if (path === "") return;
    const { parent, name } = splitPath(path);
    const names = this.#folders.get(parent);
    if (names !== undefined) {
      names.add(name);
      return;
    }
    this.#folders.set(parent, new Set([name]));
    this.#noteName(parent);
  }

  async #lookAtLevel(
    level: readonly string[],
    { isAll, findIgnored }: LevelOptions,
  ): Promise<readonly string[]> {
    const same = level.flatMap((folder) => this.#same.get(folder) ?? []);
    const open = level.filter((folder) => !this.#same.has(folder));
    const listings = open.flatMap((folder) => this.#list(folder) ?? []);
    const names = listings.flatMap(({ folder, listed }) =>
      listed
        .filter(({ name }) => isAll || !this.#isKnown(folder, name))
        .map((one) => nameIn(folder, one)),
    );
    const asked = [...same.flatMap((stamped) => stamped.asked), ...names];
    const questions = [...asked, ...listings.flatMap(repositoryName)];
    await addIgnored(this.#ignored, questions, findIgnored);
    const inner = await this.#takeSame(same, { isAll, findIgnored });
    const ours = listings
      .filter((one) => !this.#isForeign(one))
      .map((one) => withoutNames(one, this.#ignored));
    await this.#readAhead(ours);
    const known = {
      isIgnored: (name: string) => this.#ignored.has(name),
      versionOf: (path: string) => this.#versionOf(path),
    };
    for (const { folder, listed, all } of ours) {
      inner.push(...(await this.#takeIn(folder, listed, isAll)));
      this.#noteEmpty(folder, all.length === 0);
      if (isAll) this.#stamps.note({ folder, all }, known);
    }
    return inner;
  }

  /** Those whose names the rules judge otherwise than before are listed after all. Resolves with the folders in them. */
  async #takeSame(same: readonly Stamped[], options: LevelOptions): Promise<string[]> {
    const isAsBefore = (stamped: Stamped): boolean => isIgnoredAsBefore(stamped, this.#ignored);
    const others = same.filter((stamped) => !isAsBefore(stamped)).map(({ path }) => path);
    for (const path of others) this.#same.delete(path);
    const inner = others.length === 0 ? [] : await this.#lookAtLevel(others, options);
    return [...same.filter(isAsBefore).flatMap((stamped) => stamped.inner), ...inner];
  }

  async #readAhead(listings: readonly Looked[]): Promise<void> {
    const paths = listings.flatMap(({ folder, listed }) =>
      listed.filter(({ kind }) => kind === "file").map(({ name }) => joinPath(folder, name)),
    );
    const { disk, clock, hashes, recall } = this.#options;
    const versionOf = (path: string): string | null => this.#versionOf(path);
    this.#ahead = await readAhead(paths, { disk, clock, hashes, recall, versionOf });
  }

  /** A repository of its own is no part of this one, and neither is what it holds. */
  #isForeign(listing: Listing): boolean {
    const isForeign = repositoryName(listing).some((name) => this.#ignored.has(name));
    if (isForeign) this.#forgetFolder(listing.folder);
    return isForeign;
  }

  #isKnown(folder: string, name: string): boolean {
    return this.#folders.get(folder)?.has(name) === true;
  }

  /** undefined where nothing can be said. One that has gone takes its contents with it. */
  #list(folder: string): Looked | undefined {
    this.#options.onFolder(folder);
    try {
      const all = this.#options.disk.list(inTree(folder));
      this.#unknown.delete(folder);
      if (all === undefined) {
        this.#forgetFolder(folder);
        return undefined;
      }
      return { folder, all, listed: all.filter(({ name }) => mayBePart(name)) };
    } catch (error) {
      this.#leave(folder, error);
      return undefined;
    }
  }

  /** Resolves with the folders in it that are to be looked at. */
  async #takeIn(folder: string, listed: readonly Listed[], isAll: boolean): Promise<string[]> {
    this.#stamps.drop(folder);
    const before = this.#folders.get(folder) ?? new Set<string>();
    const names = new Set<string>();
    this.#folders.set(folder, names);
    const inner: string[] = [];
    for (const { name, kind } of listed) {
      const path = joinPath(folder, name);
      if (kind !== "folder") {
        if (await this.#takeInFile(path)) names.add(name);
        continue;
      }
      names.add(name);
      if (this.#isToBeLookedAt(path, isAll)) inner.push(path);
    }
    for (const name of before) if (!names.has(name)) this.#forget(joinPath(folder, name));
    return inner;
  }

  #isToBeLookedAt(folder: string, isAll: boolean): boolean {
    this.#forgetFile(folder);
    return isAll || !this.#folders.has(folder) || this.#options.onFolder(folder);
  }

  /** False: it is no part of the tree. */
  async #takeInFile(path: string): Promise<boolean> {
    if (this.#folders.has(path)) this.#forgetFolder(path);
    await this.#read(path);
    await this.#options.disk.breathe();
    return this.#files.has(path) || this.#unknown.has(path);
  }

  async #read(path: string): Promise<void> {
    try {
      if (this.#takeAhead(path)) return;
      for (let count = 0; count < MOST_READS; count += 1) if (await this.#readOnce(path)) return;
      this.#unknown.set(path, syncUnreadable(path, "it is being written"));
    } catch (error) {
      this.#leave(path, error);
    }
  }

  /** False: it was changed while it was read. */
  async #readOnce(path: string): Promise<boolean> {
    const { disk, clock } = this.#options;
    const seen = disk.see(inTree(path));
    if (seen === undefined || this.#versionOf(path) !== seen.version) {
      const readAtMs = clock.now();
      const entry = withoutOutside(path, await readEntry(disk, inTree(path), seen));
      if (disk.see(inTree(path))?.version !== seen?.version) return false;
      if (entry === undefined || seen === undefined) this.#forgetFile(path);
      else this.#remember(path, entry, { seen, readAtMs });
    }
    this.#unknown.delete(path);
    return true;
  }

  /** null: whatever is seen there, it is to be read. */
  #versionOf(path: string): string | null {
    const known = this.#files.get(path);
    return known === undefined || known.isRacy ? null : known.version;
  }

  /** What was found ahead, where it tells all. */
  #takeAhead(path: string): boolean {
    const ahead = this.#ahead.get(path);
    this.#ahead.delete(path);
    if (ahead === undefined || ahead.examined.kind === "other") return false;
    const { examined, version, readAtMs } = ahead;
    if (examined.kind === "file") {
      const { hash, seen } = examined;
      const entry = { kind: "file", hash, executable: seen.executable } as const;
      this.#remember(path, entry, { seen, readAtMs });
      // It may have been forgotten since, with a folder that was renamed.
    } else if (version === null || this.#versionOf(path) !== version) return false;
    this.#unknown.delete(path);
    return true;
  }

  #remember(
    path: string,
    entry: Entry,
    { seen, readAtMs }: { readonly seen: Seen; readonly readAtMs: number },
  ): void {
    const isSame = isSameEntry(this.#files.get(path)?.entry, entry);
    const { bytes, version, isExact, changedMs } = seen;
    const isRacy = !isExact && readAtMs - changedMs < RACY_MS;
    this.#files.set(path, { entry, bytes, version, isRacy });
    this.#stamps.forget(path);
    if (!isSame) this.#changes.set(path, entry);
  }

  #noteEmpty(folder: string, isEmpty: boolean): void {
    const path = `${folder}/`;
    if (folder === "" || this.#files.has(path) === isEmpty) return;
    if (!isEmpty) return this.#forgetFile(path);
    this.#stamps.drop(folder);
    const entry = { kind: "folder" } as const;
    this.#files.set(path, { entry, bytes: "", version: "", isRacy: false });
    this.#changes.set(path, entry);
  }

  #leave(path: string, error: unknown): void {
    this.#stamps.forget(path);
    const problem = error instanceof Problem ? error : explainUnread(path, error);
    if (problem === undefined) throw error;
    this.#unknown.set(path, problem);
  }

  #forget(path: string): void {
    if (this.#folders.has(path)) this.#forgetFolder(path);
    else this.#forgetFile(path);
  }

  #forgetFolder(folder: string): void {
    const names = this.#folders.get(folder);
    this.#folders.delete(folder);
    this.#stamps.forget(folder);
    this.#options.onGone(folder);
    this.#forgetFile(`${folder}/`);
    this.#unknown.delete(folder);
    for (const name of names ?? []) this.#forget(joinPath(folder, name));
  }

  #forgetFile(path: string): void {
    this.#unknown.delete(path);
    if (!this.#files.delete(path)) return;
    this.#stamps.forget(path);
    this.#changes.set(path, undefined);
  }
}
