import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";
import { examineMachine } from "../capabilities.ts";

export const examine = defineCall(CALLS.doctor, async ({ fix }, { engine }) => {
  const records = engine.registry.list(null).flatMap(({ record }) => record.database ?? []);
  const machine = await examineMachine(engine.layout.home.folder, engine.layout.data);
  const capabilities = { ...machine, postgres: await engine.postgres.describe(records) };
  const found = [...(await engine.leftovers())];
  if (!fix) return { capabilities, leftovers: found, fixed: [] };
  await engine.fix(found);
  return { capabilities, leftovers: [...(await engine.leftovers())], fixed: found };
});
