import path from "node:path";

import { CALLS } from "../../protocol/calls.ts";
import { pull } from "../../sync/sync.ts";
import { defineCall } from "../call.ts";
import { formatDisplacedFolder, requireSides } from "../sides.ts";

export const pullFiles = defineCall(
  CALLS["files.pull"],
  async ({ app, environment, workspace, force }, { engine }) => {
    const live = engine.registry.require(app, environment);
    const about = { app, environment, files: live.record.files };
    const sides = await requireSides(engine, live, workspace);
    if (sides === null) return { ...about, changed: [], displaced: null };
    const displaced = formatDisplacedFolder(path.join(workspace, ".ramet", "displaced"));
    return { ...about, ...(await pull(sides, { force, displaced })) };
  },
);
