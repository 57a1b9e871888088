import type { CallInput, CallOutput } from "../../protocol/calls.ts";
import type { Session } from "./session.ts";

/** Which side changed what: by the server where both are on its machine, else by us. */
export async function compareFiles(
  session: Session,
  question: CallInput<"files.status">,
): Promise<CallOutput<"files.status">> {
  return session.isAfar
    ? (await import("./far-files.ts")).compareAfar(session, question)
    : session.call("files.status", question);
}
