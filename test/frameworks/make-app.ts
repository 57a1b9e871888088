import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { exists } from "../../src/base/remove-inside.ts";
import { type } from "../journeys/shell.ts";
import type { Stage } from "../journeys/stage.ts";
import type { App } from "./apps.ts";

const QUIET = "CI=1 ASTRO_TELEMETRY_DISABLED=1 NEXT_TELEMETRY_DISABLED=1 NUXT_TELEMETRY_DISABLED=1";

/** The app in a repository of its own, its packages installed, all of it committed. */
export async function makeApp(stage: Stage, { name, made }: App): Promise<string> {
  const folder = path.join(stage.folder, name);
  if (made.by === "template")
    await type(stage, stage.folder, `${QUIET} npm exec --yes -- ${made.command}`);
  if (made.by === "program") await type(stage, stage.folder, made.command);
  if (made.by === "python") await makePythonApp(stage, folder, made.command);
  if (made.by !== "template") await writeFiles(folder, made.files);
  await ignorePackages(folder);
  if (await exists(path.join(folder, "package.json")))
    await type(stage, folder, `${QUIET} npm install --no-audit --no-fund`);
  await type(stage, folder, "git init -q -b main && git add -A && git commit -qm 'The template'");
  return folder;
}

/** The system's packages are Debian's: whatever other Python the machine has does not know them. */
async function makePythonApp(stage: Stage, folder: string, command: string): Promise<void> {
  await mkdir(folder);
  const venv = "/usr/bin/python3 -m venv --system-site-packages --without-pip .venv";
  await type(stage, folder, `${venv} && ${command}`);
}

/** Some tools leave that to the person. */
async function ignorePackages(folder: string): Promise<void> {
  const file = path.join(folder, ".gitignore");
  if (!(await exists(file))) await writeFile(file, "node_modules/\n");
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}
