import path from "node:path";

import { findPackageFile, PACKAGE_FILE, type PackageFile } from "../../reading/package-file.ts";
import { findText, listFolder } from "./text-file.ts";

/** One package of several that are installed together. */
export type Member = { readonly folder: string; readonly file: PackageFile };

const MAX_MEMBERS = 100;
const MAX_FOLDERS = 500;
const MAX_DEPTH = 4;

/** The packages that package.json, pnpm-workspace.yaml or lerna.json name, in the order of their folders. */
export async function readMembers(root: string, file: PackageFile): Promise<readonly Member[]> {
  const patterns = [...listWorkspaces(file.workspaces), ...(await readPnpm(root))];
  if (patterns.length === 0) return [];
  const wanted = patterns.filter((pattern) => !pattern.startsWith("!"));
  const refused = patterns.flatMap((pattern) =>
    pattern.startsWith("!") ? [pattern.slice(1)] : [],
  );
  const folders = new Set<string>();
  for (const pattern of wanted) {
    for (const folder of await expandPattern(root, pattern)) folders.add(folder);
  }
  const kept = [...folders].filter((folder) => !refused.some((one) => matches(one, folder)));
  const read = kept
    .toSorted()
    .slice(0, MAX_MEMBERS)
    .map((folder) => readMember(root, folder));
  return (await Promise.all(read)).filter((member) => member !== undefined);
}

async function readMember(root: string, folder: string): Promise<Member | undefined> {
  const file = await findPackageFile(root, path.posix.join(folder, PACKAGE_FILE));
  return file === undefined ? undefined : { folder, file };
}

/** npm's and Bun's list, or Yarn's object around one. */
function listWorkspaces(written: unknown): readonly string[] {
  if (Array.isArray(written)) return written.filter((one) => typeof one === "string");
  if (typeof written !== "object" || written === null || !("packages" in written)) return [];
  return listWorkspaces(written.packages);
}

/** The list `packages` of pnpm's file: one to a line, or in brackets. */
async function readPnpm(root: string): Promise<readonly string[]> {
  const text = (await findText(path.join(root, "pnpm-workspace.yaml"))) ?? "";
  const [, bracketed] = /^packages:\s*\[([^\]]*)\]/m.exec(text) ?? [];
  if (bracketed !== undefined)
    return bracketed
      .split(",")
      .map(unquote)
      .filter((one) => one !== "");
  const [, lines = ""] =
    /^packages:[^\S\n]*\r?\n((?:[^\S\n]*(?:-[^\n]*|#[^\n]*)?\r?\n?)*)/m.exec(text) ?? [];
  return lines.split("\n").flatMap((line) => {
    const [, item] = /^\s*-\s*(.+)$/.exec(line.replace(/\s#.*$/, "")) ?? [];
    return item === undefined ? [] : [unquote(item)];
  });
}

function unquote(text: string): string {
  return text.trim().replaceAll(/^["']|["']$/g, "");
}

/** The folders that a pattern such as `packages/*` stands for. */
async function expandPattern(root: string, pattern: string): Promise<readonly string[]> {
  const segments = path.posix.normalize(pattern).replace(/\/$/, "").split("/");
  if (segments.includes("..") || pattern.startsWith("/")) return [];
  let folders: readonly string[] = [""];
  for (const segment of segments) {
    const next = await Promise.all(folders.map((folder) => step(root, folder, segment)));
    folders = next.flat().slice(0, MAX_FOLDERS);
  }
  return folders.filter((folder) => folder !== "");
}

async function step(root: string, folder: string, segment: string): Promise<readonly string[]> {
  if (segment === ".") return [folder];
  if (segment === "**") return listBelow(root, folder, MAX_DEPTH);
  if (!segment.includes("*")) return [path.posix.join(folder, segment)];
  const inner = await listFolders(root, folder);
  return inner.filter((one) => matches(segment, path.posix.basename(one)));
}

async function listBelow(root: string, folder: string, depth: number): Promise<readonly string[]> {
  if (depth === 0) return [folder];
  const inner = await listFolders(root, folder);
  const below = await Promise.all(inner.map((one) => listBelow(root, one, depth - 1)));
  return [folder, ...below.flat()].slice(0, MAX_FOLDERS);
}

async function listFolders(root: string, folder: string): Promise<readonly string[]> {
  const entries = await listFolder(path.join(root, folder));
  return entries
    .filter(({ name, isFolder }) => isFolder && name !== "node_modules" && !name.startsWith("."))
    .map(({ name }) => path.posix.join(folder, name));
}

function matches(pattern: string, folder: string): boolean {
  const parts = pattern
    .replace(/^\.\//, "")
    .replace(/\/$/, "")
    .split(/(\*{1,2})/);
  const source = parts.map((part) => {
    if (part === "**") return ".*";
    return part === "*" ? "[^/]*" : part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
  });
  return new RegExp(`^${source.join("")}$`).test(folder);
}
