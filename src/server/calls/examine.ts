import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";
import { examineMachine } from "../session/capabilities.ts";

export const examine = defineCall(CALLS.doctor, async ({ fix }, { engine }) => {
  await engine.standbys.measure(null);
  const standbys = engine.standbys.describe(null);
  const records = engine.registry.list(null).flatMap(({ record }) => record.database ?? []);
  const ahead = { standbys, spares: engine.spares.describe() };
  const machine = await examineMachine(engine.layout, ahead);
  const limits = engine.uses.describeHolding();
  const capabilities = { ...machine, limits, postgres: await engine.postgres.describe(records) };
  const found = [...(await engine.leftovers())];
  if (!fix) return { capabilities, leftovers: found, fixed: [] };
  await engine.fix(found);
  return { capabilities, leftovers: [...(await engine.leftovers())], fixed: found };
});
