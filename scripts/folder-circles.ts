/**
 * Which folders of `src` import each other in a circle: `node scripts/folder-circles.ts` names each with those that it
 * imports of its circle. Files in a circle are dependency-cruiser's to find; it sees a folder only with all that is
 * inside, so that a room's own files and those of its folders are one to it.
 */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.join(import.meta.dirname, "..");
/** What tests share stands outside, as tests do. */
const FOR_TESTS = /\.test\.ts$|\/fixtures\/|\/test-[^/]+\.ts$/;
const IMPORT = /\b(?:from|import) ?\(?"(\.[^"]+)"/g;

type Imports = ReadonlyMap<string, ReadonlySet<string>>;

export function findFolderCircles(): readonly string[] {
  const imports = readImports();
  return [...imports].flatMap(([folder, others]) => {
    const back = [...others].filter((other) => reach(imports, other).has(folder));
    return back.length === 0 ? [] : [`${folder} → ${back.toSorted().join(", ")}`];
  });
}

/** Folder → the folders that its files import from. */
function readImports(): Imports {
  const imports = new Map<string, Set<string>>();
  for (const file of globSync("src/**/*.{ts,js}", { cwd: ROOT })) {
    if (FOR_TESTS.test(file)) continue;
    const folder = path.dirname(file);
    const others = imports.get(folder) ?? new Set();
    imports.set(folder, others);
    for (const [, to = ""] of readFileSync(path.join(ROOT, file), "utf8").matchAll(IMPORT)) {
      const other = path.dirname(path.join(folder, to));
      if (other !== folder) others.add(other);
    }
  }
  return imports;
}

/** Every folder that one's imports lead to, with itself. */
function reach(imports: Imports, from: string): ReadonlySet<string> {
  const reached = new Set([from]);
  for (const folder of reached) for (const other of imports.get(folder) ?? []) reached.add(other);
  return reached;
}

if (import.meta.main) process.stdout.write(`${findFolderCircles().join("\n")}\n`);
