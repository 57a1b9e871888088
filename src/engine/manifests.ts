import { readFile, stat } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../base/problem.ts";
import type { Manifest } from "../environment/manifest.ts";
import { findManifest } from "../manifest/manifest.ts";
import { filesMissing, folderNoApp, maskMissing } from "./problems.ts";

/** @throws `files_missing`, `app_not_found`, `manifest_invalid` */
export async function requireManifest(folder: string): Promise<Manifest> {
  if (!(await isFolder(folder))) throw filesMissing(folder);
  const manifest = await findManifest(folder);
  if (manifest === undefined) throw folderNoApp(folder);
  return manifest;
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
  try {
    return (await stat(folder)).isDirectory();
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return false;
    throw error;
  }
}
