/** One address for all: finds the environment a host name belongs to, wakes it, and carries its HTTP and WebSockets. */
import { createServer, type Server } from "node:http";

import { waitFor } from "../base/clock.ts";
import { asksForWebSocket } from "./inspect-request.ts";
import * as limits from "./limits.ts";
import { listen } from "./listen.ts";
import { Router } from "./router.ts";
import type * as targets from "./target.ts";
import { Upstreams } from "./upstreams.ts";

export type TargetState = targets.TargetState;
export type Target = targets.Target;

export type Gateway = { readonly port: number; close(): Promise<void> };

/**
 * Listens on `host`; on 127.0.0.1 means on ::1 too. `waitMs`: how long a program's request waits for its target.
 * @throws EADDRINUSE when the port is taken on either
 */
export async function openGateway(options: {
  readonly host: string;
  readonly port: number;
  find(hostname: string): Target | undefined;
  readonly waitMs?: number;
}): Promise<Gateway> {
  const upstreams = new Upstreams();
  const waitMs = options.waitMs ?? limits.PROGRAM_WAIT_MS;
  const router = new Router((name) => options.find(name), { upstreams, waitMs, waits: new Set() });
  try {
    const { port, servers } = await listen(options, () => createGatewayServer(router));
    return { port, close: () => closeAll(servers, router, upstreams) };
  } catch (error) {
    await upstreams.close();
    throw error;
  }
}

function createGatewayServer(router: Router): Server {
  const server = createServer({
    maxHeaderSize: limits.MAX_HEADER_BYTES,
    headersTimeout: limits.REQUEST_HEADER_TIMEOUT_MS,
    // An upload may take as long as it takes.
    requestTimeout: 0,
    keepAliveTimeout: limits.CLIENT_IDLE_MS,
    // Ours to refuse: Node answers 400, and goes on with what follows on the connection.
    requireHostHeader: false,
    shouldUpgradeCallback: asksForWebSocket,
  });
  server.maxHeadersCount = 0;
  server.maxConnections = limits.MAX_CLIENT_CONNECTIONS;
  const serve = router.serve.bind(router);
  server.on("request", serve);
  // `100 Continue` is sent when the target is there to take the body.
  server.on("checkContinue", serve);
  server.on("upgrade", router.upgrade.bind(router));
  return server;
}

/** What is in flight may end, within a limit; WebSockets, which never end by themselves, are cut. */
async function closeAll(
  servers: readonly Server[],
  router: Router,
  upstreams: Upstreams,
): Promise<void> {
  let open = servers.length;
  const closed = servers.map(
    (server) =>
      new Promise<void>((resolve) => {
        server.close(() => {
          open -= 1;
          resolve();
        });
      }),
  );
  router.stop();
  const closeIdle = (): true | undefined => {
    for (const server of servers) server.closeIdleConnections();
    return open === 0 ? true : undefined;
  };
  await waitFor(closeIdle, { timeoutMs: limits.CLOSE_LIMIT_MS, everyMs: 20 });
  router.stop();
  for (const server of servers) server.closeAllConnections();
  await Promise.all(closed);
  await upstreams.close();
}
