import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const serverStatus = defineCall(CALLS["server.status"], async (_, { status }) => status());
