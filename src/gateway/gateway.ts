/** One address for all: finds the environment a host name belongs to, wakes it, and carries its HTTP and WebSockets. */
import type { Server } from "node:net";

import { type Clock, waitFor } from "../base/clock.ts";
import * as certificates from "./certificates.ts";
import { Entrance } from "./entrance.ts";
import * as limits from "./limits.ts";
import { listen } from "./listen.ts";
import { Router } from "./router.ts";
import type * as targets from "./target.ts";
import { Upstreams } from "./upstreams.ts";

export type TargetState = targets.TargetState;
export type Target = targets.Target;
export type Access = targets.Access;
export type Certificates = certificates.Certificates;

export type Gateway = { readonly port: number; close(): Promise<void> };

/**
 * Listens on `host`; on 127.0.0.1 means on ::1 too. `waitMs`: how long a program's request waits for its target.
 * Without `certificates` no TLS is spoken.
 * @throws EADDRINUSE when the port is taken on either
 */
export async function openGateway(options: {
  readonly host: string;
  readonly port: number;
  find(hostname: string): Target | undefined;
  readonly waitMs?: number;
  readonly certificates?: Certificates;
}): Promise<Gateway> {
  const upstreams = new Upstreams();
  const waitMs = options.waitMs ?? limits.PROGRAM_WAIT_MS;
  const router = new Router((name) => options.find(name), { upstreams, waitMs, waits: new Set() });
  const entrance = new Entrance(router, options.certificates ?? null);
  try {
    const { port, servers } = await listen(options, () => entrance.createListener());
    return { port, close: () => closeAll({ servers, router, entrance, upstreams }) };
  } catch (error) {
    entrance.close();
    await upstreams.close();
    throw error;
  }
}

/** The certificates of a home, whose keys lie in `folder`; and those that its user has `given`. */
export function openCertificates(
  folder: string,
  clock: Clock,
  given: certificates.FindGiven = async () => undefined,
): Certificates {
  return new certificates.Certificates(folder, clock, given);
}

/** What is in flight may end, within a limit; WebSockets, which never end by themselves, are cut. */
async function closeAll(parts: {
  readonly servers: readonly Server[];
  readonly router: Router;
  readonly entrance: Entrance;
  readonly upstreams: Upstreams;
}): Promise<void> {
  const { servers, router, entrance, upstreams } = parts;
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
    entrance.closeIdle();
    return open === 0 ? true : undefined;
  };
  await waitFor(closeIdle, { timeoutMs: limits.CLOSE_LIMIT_MS, everyMs: 20 });
  router.stop();
  entrance.close();
  await Promise.all(closed);
  await upstreams.close();
}
