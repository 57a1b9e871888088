import { type AppFiles, readAll, warnOfOwnAddress } from "./stack.ts";

const SETTINGS = "alembic.ini";

/** The migrations of SQLAlchemy, in whichever framework. */
export function findAlembic({ paths }: AppFiles): string | null {
  return paths.has(SETTINGS) ? "python3 -m alembic upgrade head" : null;
}

/** Where their settings name a database, and their script takes no other. */
export async function warnOfAlembic(files: AppFiles): Promise<readonly string[]> {
  const settings = (await files.read(SETTINGS)) ?? "";
  if (!/^sqlalchemy\.url\s*=\s*postgres/m.test(settings)) return [];
  const scripts = await readAll(files, ["alembic/env.py", "migrations/env.py"]);
  if (/DATABASE_URL|environ|getenv|settings/.test(Object.values(scripts).join("\n"))) return [];
  return [warnOfOwnAddress(SETTINGS, "let its env.py take os.environ['DATABASE_URL']")];
}
