import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const serverDomain = defineCall(CALLS["server.domain"], async ({ change }, { domain }) => {
  if (change !== null) await domain.set(change.domain);
  return domain.get();
});
