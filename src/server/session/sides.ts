import { realpath } from "node:fs/promises";

import type { Engine } from "../../engine/engine.ts";
import type { Sides, TrashSides } from "../../sync/sync.ts";
import type { Caller } from "./caller.ts";
import { linkedElsewhere, ownerOnly } from "./problems.ts";

/**
 * The two trees that push, pull and status compare; null for an environment that runs on this very folder.
 * @throws `environment_linked_elsewhere`
 */
export async function requireSides(
  engine: Engine,
  live: ReturnType<Engine["registry"]["require"]>,
  workspace: string,
): Promise<Sides | null> {
  const { files, name } = live.record;
  if (files.kind === "kept")
    return { local: workspace, remote: files.path, home: engine.layout.sync(files) };
  if ((await realpath(workspace)) !== files.path) throw linkedElsewhere(name, files.path);
  return null;
}

/** Those whose trash is on this machine; null for an environment that runs on a workspace. @throws `owner_only` */
export async function requireTrashSides(
  engine: Engine,
  live: ReturnType<Engine["registry"]["require"]>,
  { workspace, caller }: { readonly workspace: string | null; readonly caller: Caller },
): Promise<TrashSides | null> {
  const { files } = live.record;
  if (workspace === null)
    return files.kind === "kept" ? { remote: files.path, home: engine.layout.sync(files) } : null;
  // A path from afar would be one of this machine, which is not the caller's to name.
  if (caller.kind !== "owner") throw ownerOnly("files.trash");
  return requireSides(engine, live, workspace);
}
