import { CALLS } from "../../protocol/calls.ts";
import { push } from "../../sync/sync.ts";
import { defineCall } from "../call.ts";
import { formatDisplacedFolder, requireSides } from "../sides.ts";

export const pushFiles = defineCall(
  CALLS["files.push"],
  async ({ app, environment, workspace, force }, session) => {
    const live = session.engine.registry.require(app, environment);
    const about = { app, environment, files: live.record.files };
    const sides = await requireSides(session.engine, live, workspace);
    if (sides === null) return { ...about, changed: [], displaced: null };
    const displaced = formatDisplacedFolder(session.engine.layout.displaced(live.record.id));
    const outcome = await push(sides, { force, displaced });
    if (outcome.changed.length > 0) await session.engine.filesChanged(live, session);
    return { ...about, ...outcome };
  },
);
