import { isoTime, pause, systemClock } from "../../base/clock.ts";
import { Problem } from "../../base/problem.ts";
import type { LogLine } from "../../environment/environment.ts";
import { LOCK_FILES } from "../../environment/lock-files.ts";
import type { CallOutput } from "../../protocol/calls.ts";
import type { Transfer, Trash } from "../../protocol/schemas.ts";
import { isLoss } from "../connection/streams.ts";
import type { Session } from "./session.ts";
import { nameVisit, openFarSides } from "./wire.ts";
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
  const { local, remote, conflicts, absent, unread } = compared;
  return {
    ...tree,
    files,
    local: [...local],
    remote: [...remote],
    conflicts: [...conflicts],
    absent: { local: [...absent.local], remote: [...absent.remote] },
    unread: [...unread],
  };
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

/** The workspace's trash is on this machine, the environment's on the server's. */
export async function listTrashAfar(
  session: Session,
  { workspace, ...tree }: Question,
): Promise<Trash> {
  const { listTrash } = await import("../../sync/sync.ts");
  const there = await session.call("files.trash", { ...tree, workspace: null });
  const here = await listTrash({ local: workspace });
  return [...here, ...there].toSorted((a, b) => b.id.localeCompare(a.id, "en"));
}

/** @throws `trash_unknown` where neither side keeps anything of it */
export async function restoreTrashAfar(
  session: Session,
  { workspace, id, paths, ...tree }: Question & { readonly id: string; readonly paths: string[] },
): Promise<CallOutput<"files.restore">> {
  const { restoreTrash } = await import("../../sync/sync.ts");
  const done = await unlessAllUnknown([
    async () => {
      const { left, ...restored } = await restoreTrash({ local: workspace }, { id, paths });
      for (const problem of left.values()) throw problem;
      return restored;
    },
    async () => session.call("files.restore", { ...tree, workspace: null, id, paths }),
  ]);
  return {
    restored: done.flatMap(({ restored }) => restored),
    displaced: done.flatMap(({ displaced }) => displaced),
  };
}

/** What those give that know of it, one after another. */
async function unlessAllUnknown<T>(works: readonly (() => Promise<T>)[]): Promise<readonly T[]> {
  const done: T[] = [];
  let unknown: unknown;
  for (const work of works) {
    try {
      done.push(await work());
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "trash_unknown") throw error;
      unknown = error;
    }
  }
  if (done.length === 0) throw unknown;
  return done;
}

export type Keeping = Question & {
  readonly prefer: "local" | "environment" | null;
  readonly show: (line: LogLine) => void;
  readonly signal: AbortSignal;
};

/** Keeps both the same until the signal ends it; begins anew when the connection was lost, or the server restarted. */
export async function keepAfar(session: Session, keeping: Keeping): Promise<void> {
  const { signal } = keeping;
  // The same each time: what a lost connection has left there makes room for what comes after it.
  const visit = nameVisit();
  while (!signal.aborted) {
    try {
      await keepOnce(session, { ...keeping, visit });
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
  { workspace, prefer, show, signal, ...tree }: Keeping & { readonly visit: string },
): Promise<void> {
  const { describeMerge, keepFarMerged } = await import("../../sync/sync.ts");
  const sides = await openFarSides(session, tree, workspace);
  const preference = prefer === "environment" ? "remote" : prefer;
  const onUnheard = ({ message, remedy }: Problem): void => show(toLine(`✗ ${message} ${remedy}`));
  for await (const merged of keepFarMerged(sides, { prefer: preference, signal, onUnheard })) {
    for (const text of describeMerge(merged)) show(toLine(text));
    if (merged.toRemote.some((name) => LOCK_FILES.includes(name))) await sides.arrived();
  }
}

function isTransient(error: unknown): boolean {
  if (isLoss(error)) return true;
  return error instanceof Problem && /^(visit_unknown|workspace_busy)$/.test(error.code);
}

function toLine(text: string): LogLine {
  const time = isoTime(systemClock);
  return { time, process: SYNC, stream: "ramet", level: "info", message: text, fields: {}, text };
}
