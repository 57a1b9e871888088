import { type AppFiles, type Stack } from "./stack.ts";

/** Where a page is that needs no program, the likeliest first. */
const FOLDERS = [".", "public"];

/** A folder of pages, served by what nearly every machine has; an edit is in the next answer. */
export async function findStaticSite({ read }: AppFiles): Promise<Stack | undefined> {
  for (const folder of FOLDERS) {
    const file = folder === "." ? "index.html" : `${folder}/index.html`;
    if ((await read(file)) === undefined) continue;
    const where = folder === "." ? "" : ` --directory ${folder}`;
    const command = `python3 -m http.server $PORT --bind $HOST${where}`;
    return {
      name: "a static site",
      file,
      processes: [{ label: null, role: "page", command }],
      setup: [],
      migrate: null,
      seed: null,
      engine: { kind: "none", findings: [] },
      clone: [],
      texts: {},
      warnings: [],
    };
  }
  return undefined;
}
