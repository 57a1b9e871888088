import { queryDatabase as query } from "../../database/database.ts";
import { noDatabase } from "../../environment/problems.ts";
import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const queryDatabase = defineCall(
  CALLS["database.query"],
  async ({ app, environment, sql }, { engine, signal }) =>
    engine.registry.require(app, environment).withDatabase(async (database) => {
      if (database === null) throw noDatabase(environment);
      return query(database, sql, { signal });
    }),
);
