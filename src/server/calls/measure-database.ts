import { measureDatabase as measure } from "../../database/database.ts";
import { noDatabase } from "../../environment/problems.ts";
import { measureOwnBytes } from "../../files/files.ts";
import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const measureDatabase = defineCall(
  CALLS["database.size"],
  async ({ app, environment }, { engine }) =>
    engine.registry.require(app, environment).withDatabase(async (database) => {
      if (database === null) throw noDatabase(environment);
      const [{ bytes, tables }, ownBytes] = await Promise.all([
        measure(database),
        measureOwnBytes(database.place.folder),
      ]);
      return { database: database.record.name, bytes, ownBytes, tables: [...tables] };
    }),
);
