import { findAlembic, warnOfAlembic } from "./alembic.ts";
import { findDriver, namesPackages, readPython } from "./python.ts";
import { type AppFiles, readAll, type Stack } from "./stack.ts";

/** Where the app is usually made, the likeliest first; below `src` nothing else names the package. */
const FILES = [
  "main.py",
  "app.py",
  "api.py",
  "server.py",
  "app/main.py",
  "app/app.py",
  "api/main.py",
  "src/main.py",
  "src/app/main.py",
];
const MAKES_APP = /^(\w+)\s*(?::\s*FastAPI\s*)?=\s*FastAPI\(/m;

/** By the file that makes the app. */
export async function findFastApi(files: AppFiles): Promise<Stack | undefined> {
  const texts = await readAll(files, FILES);
  for (const [file, text] of Object.entries(texts)) {
    const [, name] = MAKES_APP.exec(text) ?? [];
    if (name !== undefined) return planFastApi(files, { file, name });
  }
  return undefined;
}

async function planFastApi(
  files: AppFiles,
  { file, name }: { readonly file: string; readonly name: string },
): Promise<Stack> {
  const python = await readPython(files);
  const module = file
    .replace(/^src\//, "")
    .replace(/\.py$/, "")
    .replaceAll("/", ".");
  const folder = file.startsWith("src/") ? " --app-dir src" : "";
  const command = `python3 -m uvicorn ${module}:${name}${folder} --reload --host $HOST --port $PORT`;
  return {
    name: "FastAPI",
    file,
    processes: [{ label: null, role: "server", command }],
    setup: python.setup,
    migrate: findAlembic(files),
    seed: null,
    engine: findDriver(python, namesPackages(files) ?? file),
    clone: python.clone,
    texts: await readAll(files, [file, "config.py", "app/config.py", "app/core/config.py"]),
    warnings: await warnOfAlembic(files),
  };
}
