import { CALLS } from "../../protocol/calls.ts";
import { restoreTrash } from "../../sync/sync.ts";
import { defineCall } from "../call.ts";
import { trashLinked } from "../problems.ts";
import { requireSides } from "../sides.ts";

export const restoreFiles = defineCall(
  CALLS["files.restore"],
  async ({ app, environment, workspace, id, paths }, session) => {
    const live = session.engine.registry.require(app, environment);
    const sides = await requireSides(session.engine, live, workspace);
    if (sides === null) throw trashLinked(environment);
    const { restored, displaced, left } = await restoreTrash(sides, { id, paths });
    if (restored.some(({ side }) => side === "environment"))
      await session.engine.filesChanged(live, session);
    for (const problem of left.values()) throw problem;
    return { restored: [...restored], displaced: [...displaced] };
  },
);
