import { findAlembic, warnOfAlembic } from "./alembic.ts";
import { findDriver, namesPackages, type Python, readPython, usesPackage } from "./python.ts";
import { type AppFiles, readAll, type Stack } from "./stack.ts";

/** Flask looks for these by itself. */
const FOUND = ["wsgi.py", "app.py"];
const NAMED = ["main.py", "run.py", "server.py", "application.py"];
const MAX_PACKAGES = 30;
/** The object, or what makes it. */
const MAKES_APP = /\bFlask\(|\bdef\s+(?:create|make)_app\s*\(/;

/** By the file that makes the app. */
export async function findFlask(files: AppFiles): Promise<Stack | undefined> {
  const python = await readPython(files);
  const app = await findApp(files, python);
  if (app === undefined) return undefined;
  const flask = app.module === null ? "python3 -m flask" : `python3 -m flask --app ${app.module}`;
  const command = `${flask} --debug run --host $HOST --port $PORT`;
  const hasMigrations = files.paths.has("migrations/alembic.ini");
  return {
    name: "Flask",
    file: app.file,
    processes: [{ label: null, role: "server", command }],
    setup: python.setup,
    migrate: hasMigrations ? `${flask} db upgrade` : findAlembic(files),
    seed: null,
    engine: findDriver(python, namesPackages(files) ?? app.file),
    clone: python.clone,
    texts: await readAll(files, ["config.py", app.file]),
    warnings: await warnOfAlembic(files),
  };
}

/** `module`: what Flask must be told; null: nothing. */
type App = { readonly file: string; readonly module: string | null };

async function findApp(files: AppFiles, python: Python): Promise<App | undefined> {
  const isNamed = /^FLASK_APP=/m.test((await files.read(".flaskenv")) ?? "");
  const texts = await readAll(files, [...FOUND, ...NAMED]);
  for (const [file, text] of Object.entries(texts)) {
    if (!MAKES_APP.test(text) || !/\bflask\b/i.test(`${text}\n${python.packages}`)) continue;
    const module = FOUND.includes(file) || isNamed ? null : file.replace(/\.py$/, "");
    return { file, module };
  }
  if (!usesPackage(python, "flask")) return undefined;
  const found = await findPackage(files);
  return isNamed && found !== undefined ? { ...found, module: null } : found;
}

/** A package of the app's own that makes it. */
async function findPackage(files: AppFiles): Promise<App | undefined> {
  const names = [...files.paths].filter((name) => /^[a-z_]\w*$/i.test(name)).slice(0, MAX_PACKAGES);
  for (const module of names) {
    const file = `${module}/__init__.py`;
    if (MAKES_APP.test((await files.read(file)) ?? "")) return { file, module };
  }
  return undefined;
}
