import type { Created } from "../../engine/engine.ts";
import type { DatabaseFork } from "../../environment/environment.ts";
import type { CreatedEnvironment, DatabaseForkView } from "../../protocol/schemas.ts";
import { formatCommand } from "../../storage/storage.ts";

type Circumstances = {
  /** Whose storage would make forks faster. */
  readonly home: string;
  /** Of an environment that was there already: it promotes no standby, which is an environment-to-be. */
  readonly isReset?: boolean;
  /** Whoever reads it sits at another machine. */
  readonly isAfar?: boolean;
  readonly platform?: NodeJS.Platform;
};

/** What was made, as it is answered. */
export function describeCreated(
  { environment, timings, fork }: Created,
  circumstances: Circumstances,
): CreatedEnvironment {
  return {
    ...environment,
    timings: { ...timings, steps: [...timings.steps] },
    databaseFork: fork === null ? null : describeFork(fork, timings.database, circumstances),
  };
}

/** Only a copy could have been faster. */
export function describeFork(
  { way, bytes, missed }: DatabaseFork,
  ms: number,
  { home, isReset = false, isAfar = false, platform = process.platform }: Circumstances,
): DatabaseForkView {
  if (way !== "copy") return { way, bytes, ms, why: null, remedy: null };
  const standby = isReset ? RESET : describeMissed(missed);
  const there = isAfar ? ", on the server's machine," : "";
  const storage = `\`${formatCommand(home, "create")}\`${there} lets every fork share its source's blocks`;
  const remedies = [...(platform === "linux" ? [storage] : []), ...standby.remedies];
  return {
    way,
    bytes,
    ms,
    why: `copies share no blocks on this disk, and ${standby.why}`,
    remedy: remedies.length === 0 ? null : `${remedies.join("; ")}.`,
  };
}

type Missed = { readonly why: string; readonly remedies: readonly string[] };

const RESET: Missed = { why: "a reset promotes no standby", remedies: [] };
/** One is kept for each source unless its manifest says otherwise. */
const [ONE, MORE] = [1, 2];

/** `why` null: there was to be none. */
function describeMissed(why: string | null): Missed {
  const warm = why === null ? ONE : MORE;
  return {
    why: why ?? "its source is to have no standby",
    remedies: [`\`"database": { "warm": ${warm} }\` in ramet.json keeps ${warm} ready`],
  };
}
