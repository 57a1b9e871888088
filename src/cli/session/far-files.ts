import { isoTime, pause, systemClock } from "../../base/clock.ts";
import { Problem } from "../../base/problem.ts";
import type { LogLine } from "../../environment/environment.ts";
import { LOCK_FILES } from "../../environment/lock-files.ts";
import type { CallOutput } from "../../protocol/calls.ts";
import type { Transfer } from "../../protocol/schemas.ts";
import { isLoss } from "../connection/streams.ts";
import type { Session } from "./session.ts";
import { openFarSides } from "./wire.ts";
import type { FarTree } from "./wire.ts";

/** As files are brought to each other where workspace and environment are on two machines: by this one's own hands. */

type Question = FarTree & { readonly workspace: string };

const RETRY_MS = 1_000;
/** The name that lines about transferred files bear. */
const SYNC = "sync";

export async function compareAfar(
  session: Session,
  { workspace, ...tree }: Question,
): Promise<CallOutput<"files.status">> {
  const { compareFar } = await import("../../sync/sync.ts");
  const { files } = await session.call("environment.show", tree);
  const compared = await compareFar(await openFarSides(session, tree, workspace));
  const { local, remote, conflicts } = compared;
  return { ...tree, files, local: [...local], remote: [...remote], conflicts: [...conflicts] };
}

/** @throws as `push` and `pull` do */
export async function transferAfar(
  session: Session,
  { workspace, force, ...tree }: Question & { readonly force: boolean },
  direction: "push" | "pull",
): Promise<Transfer> {
  const { transferFar } = await import("../../sync/sync.ts");
  const { files } = await session.call("environment.show", tree);
  const sides = await openFarSides(session, tree, workspace);
  const { changed, displaced, left } = await transferFar(sides, { force }, direction);
  if (direction === "push" && changed.length > 0) await sides.arrived();
  for (const problem of left) throw problem;
  return { ...tree, files, changed: [...changed], displaced };
}

export type Keeping = Question & {
  readonly prefer: "local" | "environment" | null;
  readonly show: (line: LogLine) => void;
  readonly signal: AbortSignal;
};

/** Keeps both the same until the signal ends it; begins anew when the connection was lost, or the server restarted. */
export async function keepAfar(session: Session, keeping: Keeping): Promise<void> {
  const { signal } = keeping;
  while (!signal.aborted) {
    try {
      await keepOnce(session, keeping);
    } catch (error) {
      if (signal.aborted) return;
      if (!isTransient(error)) throw error;
      // Whoever shows the logs waits for the server as well, and gives up in the end.
      await pause(RETRY_MS, signal);
    }
  }
}

async function keepOnce(
  session: Session,
  { workspace, prefer, show, signal, ...tree }: Keeping,
): Promise<void> {
  const { describeMerge, keepFarMerged } = await import("../../sync/sync.ts");
  const sides = await openFarSides(
    session,
    { app: tree.app, environment: tree.environment },
    workspace,
  );
  const preference = prefer === "environment" ? "remote" : prefer;
  for await (const merged of keepFarMerged(sides, { prefer: preference, signal })) {
    for (const text of describeMerge(merged)) show(toLine(text));
    if (merged.toRemote.some((name) => LOCK_FILES.includes(name))) await sides.arrived();
  }
}

function isTransient(error: unknown): boolean {
  return isLoss(error) || (error instanceof Problem && error.code === "visit_unknown");
}

function toLine(text: string): LogLine {
  const time = isoTime(systemClock);
  return { time, process: SYNC, stream: "ramet", level: "info", message: text, fields: {}, text };
}
