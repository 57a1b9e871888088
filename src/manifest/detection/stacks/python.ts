import { type AppFiles, engineOf, type FoundEngine, readAll, UNKNOWN_ENGINE } from "./stack.ts";

/** What Python apps have in common, whatever their framework. */
export type Python = {
  readonly setup: readonly string[];
  /** Their virtual environment, whose programs every process finds by their names. */
  readonly clone: readonly string[];
  /** What names their packages, in one text. */
  readonly packages: string;
};

const NAMING = [
  "requirements.txt",
  "requirements/local.txt",
  "requirements/dev.txt",
  "requirements/development.txt",
  "requirements/base.txt",
  "pyproject.toml",
  "Pipfile",
];
/** Of those, what pip is given. */
const INSTALLED = /^requirements/;

/** Tools whose lock file is there, and how they install into the app's own folder. */
const LOCKED = [
  { lock: "uv.lock", install: "uv sync" },
  { lock: "poetry.lock", install: "POETRY_VIRTUALENVS_IN_PROJECT=true poetry install" },
  { lock: "Pipfile.lock", install: "PIPENV_VENV_IN_PROJECT=1 pipenv sync --dev" },
];

export async function readPython(files: AppFiles): Promise<Python> {
  const texts = await readAll(files, NAMING);
  const venv = files.paths.has("venv") && !files.paths.has(".venv") ? "venv" : ".venv";
  const setup = planInstall(files, { texts, venv });
  const isThere = files.paths.has(venv);
  return {
    setup,
    clone: setup.length > 0 || isThere ? [venv] : [],
    packages: Object.values(texts).join("\n"),
  };
}

/** Whether one of these is among the packages, by the name under which it is installed. */
export function usesPackage({ packages }: Python, names: string): boolean {
  return new RegExp(String.raw`(?:^|["'\s])(?:${names})(?![\w-])`, "im").test(packages);
}

/** By the driver; an app that names no package at all may have any. */
export function findDriver(python: Python, file: string): FoundEngine {
  const { packages } = python;
  if (usesPackage(python, POSTGRES)) return engineOf("postgres", nameOf(packages, POSTGRES), file);
  if (usesPackage(python, OTHERS)) return engineOf("other", nameOf(packages, OTHERS), file);
  return UNKNOWN_ENGINE;
}

const POSTGRES = "psycopg2-binary|psycopg2|psycopg|asyncpg|pg8000";
const OTHERS = "aiosqlite|mysqlclient|pymysql|aiomysql|pymongo|motor|beanie|mongoengine";

/** The file that names packages, for who is told of it. */
export function namesPackages({ paths }: AppFiles): string | undefined {
  return NAMING.find((name) => paths.has(name.split("/")[0] ?? ""));
}

function nameOf(packages: string, names: string): string {
  return new RegExp(names, "i").exec(packages)?.[0] ?? names;
}

/** Its packages go into a virtual environment in its own folder, which is ignored by git. */
function planInstall(
  { paths }: AppFiles,
  { texts, venv }: { readonly texts: Readonly<Record<string, string>>; readonly venv: string },
): readonly string[] {
  const locked = LOCKED.find(({ lock }) => paths.has(lock));
  if (locked !== undefined) return [locked.install];
  const requirements = Object.keys(texts).find((name) => INSTALLED.test(name));
  const isBuilt = /^\[build-system\]/m.test(texts["pyproject.toml"] ?? "");
  const what = requirements === undefined ? "-e ." : `-r ${requirements}`;
  if (requirements === undefined && !isBuilt) return [];
  const make = `([ -d ${venv} ] || (python3 -m venv ${venv} && echo '*' > ${venv}/.gitignore))`;
  return [make, `${venv}/bin/python3 -m pip install ${what}`];
}
