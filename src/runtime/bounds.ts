import { parseFields, parseNullable, parseNumber } from "../base/parse-fields.ts";

/** What the system refuses each process of an environment, whoever else watches. */
export type Bounds = {
  /** Files that one process has open at a time. */
  readonly openFiles: number;
  /** Processes and threads of its user in its own user namespace; null: the user's others would count as well. */
  readonly processes: number | null;
  /** Of one file; null: any. */
  readonly fileBytes: number | null;
};

/** What each program is bound by, where nobody says more: many have thousands of files open, none has this. */
export const USUAL_BOUNDS: Bounds = { openFiles: 16_384, processes: null, fileBytes: null };

/** In which `ulimit -f` counts in every shell that keeps to POSIX. */
const BLOCK_BYTES = 512;
/** Of several programs the system ends first what weighs more; keeper, database and server weigh nothing. */
const WEIGHT = 500;

/** Arguments of /bin/sh, by which it runs the command with these bounds. What is bound more tightly already stays so. */
export function boundCommand(
  command: string,
  { openFiles, processes, fileBytes }: Bounds,
): readonly string[] {
  const limits = [
    `ulimit -n ${openFiles}`,
    // One of the two is what this shell calls it.
    ...(processes === null ? [] : [`{ ulimit -u ${processes} || ulimit -p ${processes}; }`]),
    ...(fileBytes === null ? [] : [`ulimit -f ${Math.ceil(fileBytes / BLOCK_BYTES)}`]),
    `echo ${WEIGHT} > /proc/self/oom_score_adj`,
  ];
  return ["-c", `{ ${limits.join("; ")}; } 2>/dev/null; exec /bin/sh -c "$1"`, "sh", command];
}

/** Nothing where nothing is said, as by an older server. @throws Error when it is none */
export function parseBounds(value: unknown): { readonly bounds?: Bounds } {
  if (value === undefined) return {};
  const fields = parseFields(value, "bounds");
  const openFiles = parseNumber(fields["openFiles"], "openFiles");
  const processes = parseNullable(fields["processes"], (most) => parseNumber(most, "processes"));
  const fileBytes = parseNullable(fields["fileBytes"], (most) => parseNumber(most, "fileBytes"));
  return { bounds: { openFiles, processes, fileBytes } };
}
