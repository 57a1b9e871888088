import { connect } from "node:net";

import type { buildConnector } from "undici";

import { CONNECT_TIMEOUT_MS } from "./limits.ts";
import type { Inlet } from "./target.ts";

type Done = buildConnector.Callback;

/** Connects to a process's port in a network that is not ours: directly where that can be had, else through another process. */
export function connectInlet(inlet: Inlet): buildConnector.connector {
  return (_options, done) => void connectTo(inlet, done);
}

async function connectTo({ dial, path }: Inlet, done: Done): Promise<void> {
  const dialled = await dial();
  if (dialled.kind === "connected") done(null, dialled.connection);
  else if (dialled.kind === "refused") done(refused(path), null);
  else connectPath(path, done);
}

/**
 * The first byte says that somebody listens there: an end before it is a refusal, as of the port itself, and nothing was
 * sent yet.
 */
function connectPath(path: string, done: Done): void {
  const socket = connect({ path });
  const limit = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
  const accept = (): void => {
    const greeting: unknown = socket.read(1);
    if (!(greeting instanceof Buffer)) return;
    forget();
    done(null, socket);
  };
  const refuse = (): void => {
    forget();
    socket.on("error", ignore).destroy();
    done(refused(path), null);
  };
  const forget = (): void => {
    limit.removeEventListener("abort", refuse);
    socket.off("readable", accept).off("error", refuse).off("close", refuse);
  };
  limit.addEventListener("abort", refuse);
  socket.on("readable", accept).on("error", refuse).on("close", refuse);
}

/** It was given up: what becomes of it is nobody's business. */
function ignore(): void {}

function refused(path: string): Error {
  return Object.assign(new Error(`Nobody listens behind ${path}.`), { code: "ECONNREFUSED" });
}
