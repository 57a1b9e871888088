import { CALLS } from "../../protocol/calls.ts";
import { compareSides } from "../../sync/sync.ts";
import { defineCall } from "../session/call.ts";
import { requireSides } from "../session/sides.ts";

const NOTHING = {
  local: [],
  remote: [],
  conflicts: [],
  absent: { local: [], remote: [] },
  unread: [],
};

export const compareFiles = defineCall(
  CALLS["files.status"],
  async ({ app, environment, workspace }, { engine }) => {
    const live = engine.registry.require(app, environment);
    const about = { app, environment, files: live.record.files };
    const sides = await requireSides(engine, live, workspace);
    if (sides === null) return { ...about, ...NOTHING };
    return { ...about, ...(await compareSides(sides)) };
  },
);
