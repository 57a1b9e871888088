import { CALLS } from "../../protocol/calls.ts";
import { pull } from "../../sync/sync.ts";
import { defineCall } from "../session/call.ts";
import { requireSides } from "../session/sides.ts";

export const pullFiles = defineCall(
  CALLS["files.pull"],
  async ({ app, environment, workspace, force }, { engine }) => {
    const live = engine.registry.require(app, environment);
    const about = { app, environment, files: live.record.files };
    const sides = await requireSides(engine, live, workspace);
    if (sides === null) return { ...about, changed: [], displaced: null };
    const { changed, displaced, left } = await pull(sides, { force });
    for (const problem of left) throw problem;
    return { ...about, changed: [...changed], displaced };
  },
);
