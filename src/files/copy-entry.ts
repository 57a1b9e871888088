import { randomBytes } from "node:crypto";
import { rename } from "node:fs/promises";
import path from "node:path";

import { exists, removeInside } from "../base/remove-inside.ts";
import { traced } from "../base/trace.ts";
import type { ProcessUser } from "../process/process.ts";
import type { TreePair } from "./copy-files.ts";
import { copyTree, listAbsoluteLinks, relinkAbsolute } from "./copy-tree.ts";
import { findPlain, leadsInside, makeParent } from "./place.ts";
import { copyFailed } from "./problems.ts";
import type { SpareUse } from "./spare.ts";
import { runTool } from "./tools.ts";
import { moveVirtualEnvironment } from "./virtual-environment.ts";

/** What became of one path: `ready`: a copy was there already; `left`: a link would have led out of one of the trees. */
export type EntryOutcome = "copied" | "ready" | "missing" | "there" | "left";

/** Puts a copy that was made ahead where one is to be. False: there is none that is of use. */
export type PlaceReady = (use: SpareUse) => Promise<boolean>;

type Manner = { readonly user: ProcessUser | null; readonly ready?: PlaceReady | undefined };

/** Copies a file or a folder to where nothing stands yet: whole, in one instant, and never through a link. */
export async function copyEntry(
  pair: TreePair,
  name: string,
  { user, ready }: Manner,
): Promise<EntryOutcome> {
  const original = await findPlain(pair.source, name);
  const source = path.join(pair.source, name);
  if (original === undefined) return (await exists(source)) ? "left" : "missing";
  if (original.isSymbolicLink() && !(await leadsInside(pair.source, source))) return "left";
  if ((await findPlain(pair.target, name)) !== undefined) return "there";
  const parent = await makeParent(pair.target, name, user);
  if (parent === undefined) return "left";
  const target = path.join(parent, path.basename(name));
  if ((await ready?.({ source: pair.source, target: pair.target, name, user })) === true)
    return "ready";
  const temporary = path.join(parent, `.ramet-${randomBytes(6).toString("hex")}.tmp`);
  try {
    const [links] = await Promise.all([
      traced("links", async () => listAbsoluteLinks(source, pair.sourceNames)),
      traced("copy", async () => copyTree(source, temporary)),
    ]);
    const names = { from: pair.sourceNames, to: pair.target };
    await relinkAbsolute(temporary, links, names);
    await moveVirtualEnvironment(temporary, names);
    if (user !== null) await giveTo(temporary, user);
    await rename(temporary, target);
  } finally {
    await removeInside(pair.target, temporary);
  }
  return "copied";
}

/** Everything in the tree, links themselves and not what they lead to. */
export async function giveTo(tree: string, { uid, gid }: ProcessUser): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { exitCode, stderr } = await runTool("chown", ["-hR", `${uid}:${gid}`, tree], {
    folder: path.dirname(tree),
  });
  if (exitCode !== 0) throw copyFailed(tree, stderr.trim().split("\n")[0] ?? "chown failed");
}
