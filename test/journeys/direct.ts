/** An environment's own process, without the gateway between: how it is reached when the server is not there. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import path from "node:path";

import { exists } from "../../src/base/remove-inside.ts";
import { findHome } from "../../src/protocol/home.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import type { Stage } from "./stage.ts";

/** Where its main process answers; in a network of its own by a listener of this test's, which ends with the test. */
export async function directUrl(
  stage: Stage,
  { id, processes }: Pick<EnvironmentView, "id" | "processes">,
): Promise<string> {
  const port = processes.find((process) => process.port !== null)?.port;
  if (port === undefined || port === null) throw new Error("None of its processes has a port.");
  const inlet = await findInlet(stage, id, port);
  return `http://127.0.0.1:${inlet === undefined ? port : await openBridge(inlet)}/`;
}

async function findInlet(stage: Stage, id: string, port: number): Promise<string | undefined> {
  const environment = { RAMET_HOME: stage.home };
  const { sockets } = findHome({ environment, uid: process.getuid?.() ?? null, userHome: "/" });
  // As root it may lie where other users may go.
  for (const folder of [path.join(stage.home, "shared", "run"), sockets]) {
    const inlet = path.join(folder, `${id.slice(0, 8)}k`, String(port));
    if (await exists(inlet)) return inlet;
  }
  return undefined;
}

async function openBridge(inlet: string): Promise<number> {
  const server = createServer((near) => {
    const far = connect(inlet);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const)
      one.on("error", () => other.destroy()).once("close", () => other.destroy());
    near.pipe(far);
    // Its first byte says that it is connected.
    far.once("data", (chunk) => {
      near.write(chunk.subarray(1));
      far.pipe(near);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("It listens on a port.");
  return address.port;
}
