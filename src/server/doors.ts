import type { Access, AuditEntry } from "../access/access.ts";
import { UndoStack } from "../base/undo-stack.ts";
import type { Home } from "../protocol/home.ts";
import { requireListening } from "./afar/listen-address.ts";
import type { ListenRequest } from "./afar/listen-address.ts";
import { openRemoteListener } from "./afar/remote-listener.ts";
import type { Answering } from "./answering/answer-call.ts";
import { openCallServer } from "./answering/call-server.ts";
import { requireToken } from "./presence/server-file.ts";

type DoorOptions = {
  readonly home: Home;
  readonly listen?: ListenRequest | undefined;
  readonly log: (text: string) => void;
  readonly access: Access;
};

/** By the unix socket for the server's owner; for others, where it listens, with a token. */
export async function openDoors(
  { home, listen, log, access }: DoorOptions,
  session: Answering["session"],
): Promise<{ close(): Promise<void> }> {
  const undo = new UndoStack();
  const note = async (entry: AuditEntry): Promise<void> => access.audit.note(entry);
  const common = { session, log, note };
  try {
    const remote =
      listen === undefined
        ? undefined
        : await openRemoteListener({ ...common, access, listening: requireListening(listen) });
    if (remote !== undefined) undo.push(() => remote.close());
    const { socket } = home;
    const calls = await openCallServer({
      ...common,
      socket,
      token: await requireToken(home.token),
    });
    undo.push(() => calls.close());
    if (remote !== undefined) log(remote.description);
    return { close: async () => undo.undo() };
  } catch (error) {
    await undo.undo();
    throw error;
  }
}
