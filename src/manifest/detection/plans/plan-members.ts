import path from "node:path";

import { found, join, type Outcome } from "../signs/outcome.ts";
import { nameOf, type Sources } from "../signs/sources.ts";
import { findUsualScript } from "./choose-start.ts";
import { type Planned, planScript, type Start } from "./plan-processes.ts";

const GROUPS = /^(?:apps?|services?|servers?|sites?|examples?)(?:\/|$)/;

/** Of the packages that are installed together, those that are apps: each a process, or several. */
export async function planMembers(
  start: Omit<Start, "sources">,
  members: readonly Sources[],
): Promise<Outcome<readonly Planned[]>> {
  const outcomes = await Promise.all(members.map((sources) => planMember({ ...start, sources })));
  const { value, findings, warnings } = join(outcomes);
  return { value: value.flat(), findings, warnings };
}

async function planMember(start: Start): Promise<Outcome<readonly Planned[]>> {
  const { sources } = start;
  const script = findUsualScript(sources);
  if (script === undefined) return found([]);
  const planned = await planScript(start, script);
  const isApp = planned.some(({ isSure }) => isSure);
  const isWorker = planned.every(({ process }) => !process.port) && GROUPS.test(sources.folder);
  if (isApp || isWorker)
    return found(planned.map((one) => ({ ...one, label: labelOf(one, sources) })));
  if (!GROUPS.test(sources.folder)) return found([]);
  const where = nameOf(sources, "package.json");
  return found(
    [],
    [],
    [
      `${where} has the script ${script}, but nothing in it is known to answer requests: it is not run.`,
    ],
  );
}

/** A package with one process gives it its folder's name. */
function labelOf({ label }: Planned, { folder }: Sources): string {
  const own = path.posix.basename(folder);
  return label === null || label === "api" ? own : `${own}-${label}`;
}
