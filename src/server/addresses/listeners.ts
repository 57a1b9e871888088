import { hasErrorCode } from "../../base/problem.ts";
import { openWireGateway } from "../../database/database.ts";
import type { WireGateway } from "../../database/database.ts";
import type { Engine } from "../../engine/engine.ts";
import { openGateway } from "../../gateway/gateway.ts";
import type { Certificates, Gateway } from "../../gateway/gateway.ts";
import type { Home } from "../../protocol/home.ts";
import type { ServerFile } from "../presence/server-file.ts";
import type { OwnDomain } from "./domain.ts";
import { noFreePort } from "./problems.ts";
import { findTarget, findWireRoute } from "./routes.ts";

export type ListenerOptions = {
  readonly home: Home;
  readonly keys: string;
  readonly certificates: Certificates;
  readonly domain: OwnDomain;
  /** Until it is open nobody knows whose a name is: whoever asks for one waits. */
  readonly engine: Promise<Engine>;
};

const FIRST_GATEWAY_PORT = 7420;
const PORTS_TRIED = 200;
const HOST = "127.0.0.1";

/** Both are open before the engine is: what runs is told their ports. */
export async function openListeners(
  recorded: ServerFile,
  { home, keys, certificates, domain, engine }: ListenerOptions,
): Promise<{ readonly gateway: Gateway; readonly wire: WireGateway }> {
  const gateway = await openOnFreePort(recorded.gatewayPort, FIRST_GATEWAY_PORT, async (port) =>
    openGateway({
      host: HOST,
      port,
      find: async (name) => findTarget(await engine, name, domain.get()?.name ?? null),
      certificates,
    }),
  );
  const wire = await openOnFreePort(recorded.databasePort, gateway.port + 1, async (port) =>
    openWireGateway({
      host: HOST,
      port,
      socketFolder: home.sockets,
      find: async (user) => findWireRoute(await engine, user),
      keys,
    }),
  );
  return { gateway, wire };
}

/** The port it had is taken again, so that addresses stay good; else the first free one from `first` on. */
async function openOnFreePort<T>(
  before: number | null,
  first: number,
  open: (port: number) => Promise<T>,
): Promise<T> {
  const rest = Array.from({ length: PORTS_TRIED }, (_, index) => first + index);
  for (const port of before === null ? rest : [before, ...rest]) {
    try {
      return await open(port);
    } catch (error) {
      if (!hasErrorCode(error, "EADDRINUSE")) throw error;
    }
  }
  throw noFreePort(first);
}
