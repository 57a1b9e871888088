import path from "node:path";

import { type Python, readPython, usesPackage } from "./python.ts";
import {
  type AppFiles,
  engineOf,
  type FoundEngine,
  readAll,
  type Stack,
  UNKNOWN_ENGINE,
  warnOfOwnAddress,
} from "./stack.ts";

const MANAGE = "manage.py";
const READS_ADDRESS = /DATABASE_URL|dj_database_url|\benv(?:iron)?\.db(?:_url)?\b/;
const HOW =
  "let the settings take DATABASE_URL by dj-database-url or django-environ (Django itself reads it not)";

/** By `manage.py`, which names the settings. */
export async function findDjango(files: AppFiles): Promise<Stack | undefined> {
  const manage = await files.read(MANAGE);
  if (manage === undefined || !/django/i.test(manage)) return undefined;
  const [python, settings] = await Promise.all([readPython(files), readSettings(files, manage)]);
  const engine = findEngine(settings, python);
  const migrate = `python3 ${MANAGE} migrate --noinput`;
  const isOwn = engine.kind === "other";
  return {
    name: "Django",
    file: MANAGE,
    processes: [{ label: null, role: "page", command: `python3 ${MANAGE} runserver $HOST:$PORT` }],
    setup: isOwn ? [...python.setup, migrate] : python.setup,
    migrate: isOwn ? null : migrate,
    seed: null,
    engine,
    clone: isOwn ? [...python.clone, ...listSqlite(settings)] : python.clone,
    texts: settings,
    warnings: [...warnOfAddress(settings, engine), ...warnOfHosts(settings)],
  };
}

/** The module that `manage.py` names, and what it is usually made of. */
async function readSettings(
  files: AppFiles,
  manage: string,
): Promise<Readonly<Record<string, string>>> {
  const [, module = "settings"] =
    /DJANGO_SETTINGS_MODULE["'],\s*["']([\w.]+)["']/.exec(manage) ?? [];
  const own = module.replaceAll(".", "/");
  const beside = ["base", "common", "local", "dev", "development"];
  const folders = [own, path.posix.dirname(own)].filter((one) => one.endsWith("settings"));
  return readAll(files, [
    `${own}.py`,
    ...folders.flatMap((folder) => ["__init__", ...beside].map((name) => `${folder}/${name}.py`)),
  ]);
}

type Settings = Readonly<Record<string, string>>;

function findEngine(settings: Settings, python: Python): FoundEngine {
  for (const [file, text] of Object.entries(settings)) {
    const [, backend] = /\bdb\.backends\.(\w+)/.exec(text) ?? [];
    if (READS_ADDRESS.test(text) && !lacksDriver(python))
      return engineOf("postgres", "DATABASE_URL", file);
    if (backend !== undefined)
      return engineOf(backend.startsWith("post") ? "postgres" : "other", backend, file);
  }
  return UNKNOWN_ENGINE;
}

/** Whatever the address says, its packages name none that could speak to PostgreSQL. */
function lacksDriver(python: Python): boolean {
  return python.packages !== "" && !usesPackage(python, "psycopg2-binary|psycopg2|psycopg");
}

function listSqlite(settings: Settings): readonly string[] {
  const names = Object.values(settings).flatMap((text) =>
    [...text.matchAll(/["']([\w-]+\.(?:sqlite3?|db))["']/g)].map(([, name = ""]) => name),
  );
  return [...new Set(names)];
}

function warnOfAddress(settings: Settings, { kind, findings }: FoundEngine): readonly string[] {
  const [finding] = findings;
  if (finding === undefined) return [];
  const text = settings[finding.file] ?? "";
  if (kind === "other" && finding.value === "sqlite3") {
    return [`To have the rows in a PostgreSQL that is forked as it runs, ${HOW}.`];
  }
  const isPlain = kind === "postgres" && !READS_ADDRESS.test(text) && !/\benv/i.test(text);
  return isPlain ? [warnOfOwnAddress(finding.file, HOW)] : [];
}

/** An empty list lets `*.localhost` in while DEBUG is on; one that names hosts lets in those alone. */
function warnOfHosts(settings: Settings): readonly string[] {
  return Object.entries(settings).flatMap(([file, text]) => {
    const [, hosts = ""] = /^ALLOWED_HOSTS\s*=\s*\[([^\]]*)\]/m.exec(text) ?? [];
    if (!/["']/.test(hosts) || /["'](?:\*|\.localhost)["']/.test(hosts)) return [];
    return [
      `${file} lists ALLOWED_HOSTS: add ".localhost" there, or Django refuses the environment's address.`,
    ];
  });
}
