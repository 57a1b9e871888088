import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";
import { examineMachine } from "../capabilities.ts";

export const examine = defineCall(CALLS.doctor, async ({ fix }, { engine }) => {
  const capabilities = await examineMachine(engine.layout.home.folder, engine.layout.data);
  const found = [...(await engine.leftovers())];
  if (!fix) return { capabilities, leftovers: found, fixed: [] };
  await engine.fix(found);
  return { capabilities, leftovers: [...(await engine.leftovers())], fixed: found };
});
