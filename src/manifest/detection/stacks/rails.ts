import { GEM_FOLDERS, INSTALL_GEMS } from "./gems.ts";
import { type AppFiles, engineOf, type FoundEngine, type Stack, UNKNOWN_ENGINE } from "./stack.ts";

const PROGRAM = "bin/rails";
const DATABASE = "config/database.yml";
/** One that was killed leaves its number, which by then may be another process's. */
const SERVER = `rm -f tmp/pids/server.pid && exec ${PROGRAM} server -b $HOST -p $PORT`;
const PREPARE = `${PROGRAM} db:prepare`;

/** By its own program. Rails takes `DATABASE_URL` by itself. */
export async function findRails(files: AppFiles): Promise<Stack | undefined> {
  if (!files.paths.has(PROGRAM)) return undefined;
  const settings = (await files.read(DATABASE)) ?? "";
  const engine = findEngine(settings);
  const isOwn = engine.kind === "other";
  const ignored = ["config/master.key", ...GEM_FOLDERS];
  return {
    name: "Ruby on Rails",
    file: PROGRAM,
    processes: [{ label: null, role: "page", command: SERVER }],
    setup: isOwn ? [INSTALL_GEMS, PREPARE] : [INSTALL_GEMS],
    migrate: isOwn ? null : PREPARE,
    seed: null,
    engine,
    clone: isOwn ? [...ignored, "storage"] : ignored,
    texts: { [DATABASE]: settings },
    warnings: [],
  };
}

function findEngine(settings: string): FoundEngine {
  const [, adapter] = /^\s+adapter:\s*["']?(\w+)/m.exec(settings) ?? [];
  if (adapter === undefined) return UNKNOWN_ENGINE;
  return engineOf(adapter.startsWith("post") ? "postgres" : "other", adapter, DATABASE);
}
