import { connect } from "node:net";

import type { buildConnector } from "undici";

import { CONNECT_TIMEOUT_MS } from "./limits.ts";

/**
 * Connects to a socket that leads to a process's port, in a network that is not ours. Its first byte says that somebody
 * listens there: an end before it is a refusal, as of the port itself, and nothing was sent yet.
 */
export function connectInlet(path: string): buildConnector.connector {
  return (_options, done) => {
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
  };
}

/** It was given up: what becomes of it is nobody's business. */
function ignore(): void {}

function refused(path: string): Error {
  return Object.assign(new Error(`Nobody listens behind ${path}.`), { code: "ECONNREFUSED" });
}
