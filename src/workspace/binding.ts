import { lchown, lstat, mkdir, open, rm, rmdir } from "node:fs/promises";
import path from "node:path";

import { explainClosed } from "../base/closed-folder.ts";
import { hasErrorCode, Problem } from "../base/problem.ts";
import { exists } from "../base/remove-inside.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { parseAppName, parseEnvironmentName } from "../environment/name.ts";
import { bindingInvalid } from "./problems.ts";

/** Which environment a workspace is bound to. */
export type Binding = {
  readonly app: string;
  readonly environment: string;
  /** Tells the environment from a later one of the same name. */
  readonly id: string;
  /** The folder of the server that keeps it; its URL where it is elsewhere. */
  readonly home: string;
};

const FOLDER = ".ramet";
const FILE = "environment.json";
const MAX_BYTES = 16 * 1024;

/** @throws `binding_invalid` for a file that says nothing sensible, or one behind a symbolic link. */
export async function readBinding(root: string): Promise<Binding | null> {
  const file = bindingFile(root);
  if (!(await exists(file))) return null;
  await refuseLinks(root);
  const text = await readStart(file);
  return text === undefined ? null : parseBinding(file, text);
}

/** @throws `binding_invalid`, `folder_closed` */
export async function writeBinding(root: string, binding: Binding): Promise<void> {
  await refuseLinks(root);
  try {
    // Others than the writer may read it: `sudo ramet` in a user's folder must leave it usable, and it holds no secret.
    await mkdir(path.join(root, FOLDER), { recursive: true, mode: 0o755 });
    await writeAtomically(bindingFile(root), `${JSON.stringify(binding, null, 2)}\n`, {
      mode: 0o644,
    });
  } catch (error) {
    throw explainClosed(error, root);
  }
  await giveToOwner(root);
}

/** What root writes into a person's folder is theirs: they must be able to remove it. */
async function giveToOwner(root: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await lstat(root);
  for (const made of [path.join(root, FOLDER), bindingFile(root)]) await lchown(made, uid, gid);
}

export async function removeBinding(root: string): Promise<void> {
  await refuseLinks(root);
  await rm(bindingFile(root), { force: true });
  try {
    await rmdir(path.join(root, FOLDER));
  } catch (error) {
    // What else lies in the folder is not ours to remove.
    if (!hasErrorCode(error, "ENOENT", "ENOTEMPTY", "EEXIST")) throw error;
  }
}

export async function hasBinding(root: string): Promise<boolean> {
  return exists(bindingFile(root));
}

function bindingFile(root: string): string {
  return path.join(root, FOLDER, FILE);
}

/** A link could make us read or write a file anywhere, in the name of a repository that brought it along. */
async function refuseLinks(root: string): Promise<void> {
  const folder = path.join(root, FOLDER);
  for (const [file, isKind] of [
    [folder, "isDirectory"],
    [bindingFile(root), "isFile"],
  ] as const) {
    try {
      if (!(await lstat(file))[isKind]())
        throw bindingInvalid(file, "it is a link, or no plain file or folder");
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT")) throw error;
    }
  }
}

/** Undefined: whoever deletes the environment has removed it meanwhile. */
async function readStart(file: string): Promise<string | undefined> {
  try {
    await using handle = await open(file, "r");
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
    return buffer.subarray(0, bytesRead).toString("utf8");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function parseBinding(file: string, text: string): Binding {
  const value = parseJson(file, text);
  if (!isRecord(value)) throw bindingInvalid(file, "it is no JSON object");
  const { app, environment, id, home } = value;
  if (typeof id !== "string" || typeof home !== "string" || !isPlace(home)) {
    throw bindingInvalid(file, "it lacks `id` or an absolute `home`");
  }
  if (typeof app !== "string" || typeof environment !== "string") {
    throw bindingInvalid(file, "it lacks `app` or `environment`");
  }
  try {
    return { app: parseAppName(app), environment: parseEnvironmentName(environment), id, home };
  } catch (error) {
    if (error instanceof Problem) throw bindingInvalid(file, error.message.replace(/\.$/, ""));
    throw error;
  }
}

function isPlace(home: string): boolean {
  return path.isAbsolute(home) || /^https?:\/\//.test(home);
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words quote the file's text, which says less than this.
    throw bindingInvalid(file, "it is not JSON");
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
