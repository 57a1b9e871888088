import {
  type AppFiles,
  engineOf,
  type FoundEngine,
  readFirst,
  type Stack,
  UNKNOWN_ENGINE,
} from "./stack.ts";

const PROGRAM = "artisan";
const MIGRATE = `php ${PROGRAM} migrate --force`;

/** By its own program. It takes the parts of its database's address from variables, which win over `.env`. */
export async function findLaravel(files: AppFiles): Promise<Stack | undefined> {
  const program = await files.read(PROGRAM);
  if (program === undefined || !/laravel|illuminate/i.test(program)) return undefined;
  const settings = await readFirst(files, [".env", ".env.example"]);
  const engine = findEngine(settings);
  const isOwn = engine.kind === "other";
  const hasAssets = files.file.scripts?.["build"] !== undefined;
  return {
    name: "Laravel",
    file: PROGRAM,
    processes: [
      { label: null, role: "page", command: `php ${PROGRAM} serve --host=$HOST --port=$PORT` },
    ],
    setup: isOwn ? ["composer install", MIGRATE] : ["composer install"],
    migrate: isOwn ? null : MIGRATE,
    seed: null,
    engine,
    clone: [
      "vendor",
      ...(hasAssets ? ["public/build"] : []),
      ...(isOwn ? ["database/database.sqlite"] : []),
    ],
    texts: {},
    warnings: hasAssets ? [ASSETS] : [],
    buildsAssets: hasAssets,
  };
}

/** Its plugin for Vite writes an address into the page that only this machine's own browser reaches. */
const ASSETS =
  "Laravel's assets are built by setup: run `npm run build` after a change to them, or write a process for Vite into ramet.json.";

function findEngine(
  settings: { readonly name: string; readonly text: string } | undefined,
): FoundEngine {
  const [, kind] = /^DB_CONNECTION\s*=\s*["']?(\w+)/m.exec(settings?.text ?? "") ?? [];
  if (settings === undefined || kind === undefined) return UNKNOWN_ENGINE;
  return engineOf(kind === "pgsql" ? "postgres" : "other", kind, settings.name);
}
