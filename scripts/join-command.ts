/** Joins what every command loads on its way to the server into one file of `dist`: a part of `npm run build`. */
import { readFile } from "node:fs/promises";
import path from "node:path";

import { rolldown } from "rolldown";

const DIST = path.join(import.meta.dirname, "..", "dist");
/** With all that they import; what they import when it is needed stays where it is. */
const ENTRIES = [
  "cli/cli.js",
  "cli/connection/client.js",
  "cli/grammar/command-shape.js",
  "cli/session/command.js",
  "cli/session/session.js",
  "cli/session/workspace-folder.js",
];
/** It has been loaded before anything that is compiled is kept. */
const LOADED_BEFORE = path.join(DIST, "protocol/home-folder.js");
const JOINED = "cli/joined";

const modules = await listImported(ENTRIES.map((name) => path.join(DIST, name)));
await assertPlaceless(modules);
await join(modules);

/** These modules, and all that they import at once, one through another. */
async function listImported(entries: readonly string[]): Promise<readonly string[]> {
  const listed = new Set(entries);
  for (const file of listed) {
    const code = await readFile(file, "utf8");
    for (const [, name = ""] of code.matchAll(/^(?:import|export)\b[^"';]*"(\.[^"]+)";$/gm)) {
      const imported = path.resolve(path.dirname(file), name);
      if (imported !== LOADED_BEFORE) listed.add(imported);
    }
  }
  return [...listed];
}

/** A module that asks where it is would be told another place. */
async function assertPlaceless(files: readonly string[]): Promise<void> {
  for (const file of files)
    if ((await readFile(file, "utf8")).includes("import.meta"))
      throw new Error(`${file} asks where it is: it cannot be joined with others.`);
}

/** Each is then a name for its part of the joined file, so that whoever imports it, joined or not, has the same values. */
async function join(files: readonly string[]): Promise<void> {
  const known = new Set(files);
  const isOutside = (id: string, importer: string | undefined): boolean =>
    !known.has(path.resolve(path.dirname(importer ?? DIST), id));
  const bundle = await rolldown({
    input: Object.fromEntries(files.map((file) => [toName(file), file])),
    platform: "node",
    external: isOutside,
    treeshake: false,
    logLevel: "warn",
  });
  await bundle.write({
    dir: DIST,
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js",
    codeSplitting: { groups: [{ name: JOINED, test: (id) => known.has(id) }] },
  });
}

function toName(file: string): string {
  return path.relative(DIST, file).replace(/\.js$/, "");
}
