import { realpath } from "node:fs/promises";

import type { Engine } from "../engine/engine.ts";
import type { Sides } from "../sync/sync.ts";
import { linkedElsewhere } from "./problems.ts";

/**
 * The two trees that push, pull and status compare; null for an environment that runs on this very folder.
 * @throws `environment_linked_elsewhere`
 */
export async function requireSides(
  engine: Engine,
  live: ReturnType<Engine["registry"]["require"]>,
  workspace: string,
): Promise<Sides | null> {
  const { files, id, name } = live.record;
  if (files.kind === "kept")
    return { local: workspace, remote: files.path, home: engine.layout.sync(id) };
  if ((await realpath(workspace)) !== files.path) throw linkedElsewhere(name, files.path);
  return null;
}
