import { CALLS } from "../../protocol/calls.ts";
import { push } from "../../sync/sync.ts";
import { defineCall } from "../session/call.ts";
import { requireSides } from "../session/sides.ts";

export const pushFiles = defineCall(
  CALLS["files.push"],
  async ({ app, environment, workspace, force }, session) => {
    const live = session.engine.registry.require(app, environment);
    const about = { app, environment, files: live.record.files };
    const sides = await requireSides(session.engine, live, workspace);
    if (sides === null) return { ...about, changed: [], displaced: null };
    const { changed, displaced, left } = await push(sides, { force });
    if (changed.length > 0) await session.engine.filesChanged(live, session);
    for (const problem of left) throw problem;
    return { ...about, changed: [...changed], displaced };
  },
);
