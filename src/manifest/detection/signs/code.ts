import path from "node:path";

import { isInner } from "./sources.ts";
import { findText } from "./text-file.ts";

const MAX_IMPORTS = 16;
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)["'](\.{1,2}\/[^"'\n]+)["']/g;
const ENDINGS = ["", ".ts", ".js", ".mjs", ".cjs", ".tsx", "/index.ts", "/index.js"];

/** A program's first file and the app's own files that it imports. */
export async function readCode(folder: string, entry: string): Promise<readonly string[]> {
  const main = isInner(entry) ? await findText(path.join(folder, entry)) : undefined;
  if (main === undefined) return [];
  const names = [...main.matchAll(IMPORT)].slice(0, MAX_IMPORTS).map(([, name = ""]) => name);
  const inner = names
    .map((name) => path.posix.join(path.posix.dirname(entry), name))
    .filter(isInner);
  const imported = await Promise.all(inner.map((name) => findModule(folder, name)));
  return [main, ...imported.filter((text) => text !== undefined)];
}

/** TypeScript names the `.js` that a `.ts` becomes. */
async function findModule(folder: string, name: string): Promise<string | undefined> {
  const bare = name.replace(/\.[cm]?js$/, "");
  const candidates = [...ENDINGS.map((ending) => `${name}${ending}`), `${bare}.ts`, `${bare}.tsx`];
  for (const candidate of candidates) {
    const text = await findText(path.join(folder, candidate));
    if (text !== undefined) return text;
  }
  return undefined;
}
