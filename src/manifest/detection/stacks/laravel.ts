import {
  type AppFiles,
  engineOf,
  type FoundEngine,
  readFirst,
  type Stack,
  UNKNOWN_ENGINE,
} from "./stack.ts";

const PROGRAM = "artisan";
const SETTINGS = ".env";
const MIGRATE = `php ${PROGRAM} migrate --force`;
/**
 * Its `serve` keeps from the app what PHP shows in `$_ENV`, so that a changed `.env` counts anew; with PHP's own default that is
 * every variable, and the app would take its database's address from `.env`. This is what the shipped `php.ini` files say.
 */
const SERVE = `php -d variables_order=GPCS ${PROGRAM} serve --host=$HOST --port=$PORT`;

/** By its own program. It takes the parts of its database's address from variables, which win over `.env`. */
export async function findLaravel(files: AppFiles): Promise<Stack | undefined> {
  const program = await files.read(PROGRAM);
  if (program === undefined || !/laravel|illuminate/i.test(program)) return undefined;
  const settings = await readFirst(files, [SETTINGS, ".env.example"]);
  const engine = findEngine(settings);
  const isOwn = engine.kind === "other";
  const hasAssets = files.file.scripts?.["build"] !== undefined;
  return {
    name: "Laravel",
    file: PROGRAM,
    processes: [{ label: null, role: "page", command: SERVE }],
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
    warnings: listWarnings(settings?.name === SETTINGS, hasAssets),
    buildsAssets: hasAssets,
  };
}

const UNSET =
  "There is no .env, which Laravel takes its key from: `cp .env.example .env && php artisan key:generate`.";

/** Its plugin for Vite writes an address into the page that only this machine's own browser reaches. */
const ASSETS =
  "Laravel's assets are built by setup: run `npm run build` after a change to them, or write a process for Vite into ramet.json.";

function listWarnings(hasSettings: boolean, hasAssets: boolean): readonly string[] {
  return [...(hasSettings ? [] : [UNSET]), ...(hasAssets ? [ASSETS] : [])];
}

function findEngine(
  settings: { readonly name: string; readonly text: string } | undefined,
): FoundEngine {
  const [, kind] = /^DB_CONNECTION\s*=\s*["']?(\w+)/m.exec(settings?.text ?? "") ?? [];
  if (settings === undefined || kind === undefined) return UNKNOWN_ENGINE;
  return engineOf(kind === "pgsql" ? "postgres" : "other", kind, settings.name);
}
