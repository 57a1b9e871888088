import type { Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";

import { Problem, hasErrorCode } from "../../base/problem.ts";
import { DEFAULT_GRANTS } from "../../environment/manifest.ts";
import type { DatabaseGrants, Manifest } from "../../environment/manifest.ts";
import { findManifest, MANIFEST_FILES } from "../../manifest/manifest.ts";
import { filesMissing, folderNoApp, maskMissing } from "../home/problems.ts";
import { findMainProcess } from "./process-plans.ts";

/** Beside the app's own files; as the source of a manifest, it says all. */
export const RAMET_FILE = "ramet.json";

/** @throws `files_missing`, `app_not_found`, `manifest_invalid` */
export async function requireManifest(folder: string): Promise<Manifest> {
  if (!(await isFolder(folder))) throw filesMissing(folder);
  const manifest = await findManifest(folder);
  if (manifest === undefined) throw folderNoApp(folder);
  return manifest;
}

/** What a folder's manifest said when it was read last. */
export class KnownManifest {
  readonly #folder: string;
  #stamp = "";
  #known: Manifest | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get known(): Manifest | undefined {
    return this.#known;
  }

  /** The process that its own address leads to. */
  mainProcess(): string | undefined {
    return this.#known === undefined ? undefined : findMainProcess(this.#known);
  }

  /** As it is now. @throws `files_missing`, `app_not_found`, `manifest_invalid` */
  async read(): Promise<Manifest> {
    const stamp = await this.#findStamp();
    this.#known = await requireManifest(this.#folder);
    this.#stamp = stamp;
    return this.#known;
  }

  /** The same, read again only where a file that says most of it changed: for lists of many. */
  async recall(): Promise<Manifest> {
    const isSame = this.#known !== undefined && this.#stamp === (await this.#findStamp());
    return isSame && this.#known !== undefined ? this.#known : this.read();
  }

  /** What its database grants; a manifest that cannot be read grants what it did before. */
  async recallGrants(): Promise<DatabaseGrants> {
    try {
      return (await this.recall()).grants;
    } catch (error) {
      if (error instanceof Problem) return this.#known?.grants ?? DEFAULT_GRANTS;
      throw error;
    }
  }

  async #findStamp(): Promise<string> {
    // What ramet.json says wholly, nothing else changes.
    const isWritten = this.#known?.source === RAMET_FILE;
    const files = isWritten ? [RAMET_FILE, "package.json"] : MANIFEST_FILES;
    const stamps = files.map(async (name) => {
      const found = await statIfThere(path.join(this.#folder, name));
      return found === undefined ? "absent" : `${found.ino}:${found.size}:${found.ctimeMs}`;
    });
    return (await Promise.all(stamps)).join();
  }
}

/** The SQL that a fork's rows are masked with. @throws `mask_missing` */
export async function readMask(folder: string, manifest: Manifest): Promise<string | null> {
  const mask = manifest.database?.mask ?? null;
  if (mask === null) return null;
  try {
    return await readFile(path.join(folder, mask), "utf8");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "EISDIR", "ENOTDIR", "EACCES")) throw maskMissing(mask);
    throw error;
  }
}

export async function isFolder(folder: string): Promise<boolean> {
  return (await statIfThere(folder))?.isDirectory() === true;
}

/** undefined: nothing is there that we may see. */
export async function statIfThere(file: string): Promise<Stats | undefined> {
  try {
    return await stat(file);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return undefined;
    throw error;
  }
}
