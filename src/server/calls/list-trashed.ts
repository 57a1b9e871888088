import { CALLS } from "../../protocol/calls.ts";
import { listTrash } from "../../sync/sync.ts";
import { defineCall } from "../call.ts";
import { requireSides } from "../sides.ts";

export const listTrashed = defineCall(
  CALLS["files.trash"],
  async ({ app, environment, workspace }, { engine }) => {
    const live = engine.registry.require(app, environment);
    const sides = await requireSides(engine, live, workspace);
    return sides === null ? [] : [...(await listTrash(sides))];
  },
);
