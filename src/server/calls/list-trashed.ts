import { CALLS } from "../../protocol/calls.ts";
import { listTrash } from "../../sync/sync.ts";
import { defineCall } from "../session/call.ts";
import { requireTrashSides } from "../session/sides.ts";

export const listTrashed = defineCall(
  CALLS["files.trash"],
  async ({ app, environment, workspace }, { engine, caller }) => {
    const live = engine.registry.require(app, environment);
    const sides = await requireTrashSides(engine, live, { workspace, caller });
    return sides === null ? [] : [...(await listTrash(sides))];
  },
);
