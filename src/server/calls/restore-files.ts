import { CALLS } from "../../protocol/calls.ts";
import { restoreTrash } from "../../sync/sync.ts";
import { defineCall } from "../session/call.ts";
import { trashLinked } from "../session/problems.ts";
import { requireTrashSides } from "../session/sides.ts";

export const restoreFiles = defineCall(
  CALLS["files.restore"],
  async ({ app, environment, workspace, id, paths }, session) => {
    const { engine, caller } = session;
    const live = engine.registry.require(app, environment);
    const sides = await requireTrashSides(engine, live, { workspace, caller });
    if (sides === null) throw trashLinked(environment);
    const { restored, displaced, left } = await restoreTrash(sides, { id, paths });
    if (restored.some(({ side }) => side === "environment"))
      await engine.filesChanged(live, session);
    for (const problem of left.values()) throw problem;
    return { restored: [...restored], displaced: [...displaced] };
  },
);
