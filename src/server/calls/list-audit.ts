import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const listAudit = defineCall(CALLS["access.audit"], async ({ last }, { access }) => [
  ...(await access.audit.read(last)),
]);
