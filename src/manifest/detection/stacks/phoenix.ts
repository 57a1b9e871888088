import {
  type AppFiles,
  engineOf,
  type FoundEngine,
  readAll,
  type Stack,
  warnOfOwnAddress,
} from "./stack.ts";

const PROJECT = "mix.exs";
const ADAPTERS = /:(postgrex|myxql|ecto_sqlite3|tds)\b/;

/** By the project that depends on it. */
export async function findPhoenix(files: AppFiles): Promise<Stack | undefined> {
  const project = await files.read(PROJECT);
  if (project === undefined || !/\{:phoenix,/.test(project)) return undefined;
  const settings = await readAll(files, ["config/dev.exs", "config/runtime.exs"]);
  const engine = findEngine(project);
  const ownPort = findPort(settings);
  const hasTables = engine.kind === "postgres";
  return {
    name: "Phoenix",
    file: PROJECT,
    processes: [
      {
        label: null,
        role: "page",
        command: "mix phx.server",
        ...(ownPort === undefined ? {} : { ownPort }),
      },
    ],
    setup: ["mix deps.get", "mix assets.setup"].slice(0, /assets\.setup/.test(project) ? 2 : 1),
    migrate: hasTables ? "mix ecto.migrate" : null,
    seed: hasTables ? "mix run priv/repo/seeds.exs" : null,
    engine,
    clone: ["deps", "_build", "priv/static/assets", "assets/node_modules"],
    texts: settings,
    warnings: hasTables ? warnOfAddress(settings["config/dev.exs"] ?? "") : [],
  };
}

function findEngine(project: string): FoundEngine {
  const [, adapter] = ADAPTERS.exec(project) ?? [];
  if (adapter === undefined) return { kind: "none", findings: [] };
  return engineOf(adapter === "postgrex" ? "postgres" : "other", adapter, PROJECT);
}

/** The last files to be read set it; where none takes `PORT`, the number in them stays. */
function findPort(settings: Readonly<Record<string, string>>): number | undefined {
  const text = Object.values(settings).join("\n");
  const [, port] = /\bhttp:\s*\[[^\]]*\bport:\s*(\d{2,5})\b/.exec(text) ?? [];
  const takesPort = /http:\s*\[[^\]]*port:[^\]]*"PORT"/.test(text);
  return port === undefined || takesPort ? undefined : Number(port);
}

function warnOfAddress(text: string): readonly string[] {
  if (!/\bpassword:\s*"/.test(text) || /DATABASE_URL/.test(text)) return [];
  return [warnOfOwnAddress("config/dev.exs", 'let it take `url: System.get_env("DATABASE_URL")`')];
}
