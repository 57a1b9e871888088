import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { Pool } from "undici";

import { openGateway } from "../src/gateway/gateway.ts";
import { formatRatio, median } from "./measure.ts";

const REQUESTS = 20_000;
const CONNECTIONS = 32;
const ROUNDS = 3;

/** Requests a second through the gateway, in turn with the same straight to the app. */
export async function measureGateway(): Promise<readonly string[]> {
  const app = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
  await once(app, "listening");
  const appPort = portOf(app.address());
  const target = {
    label: "bench",
    state: () => ({ kind: "ready", port: appPort }) as const,
    wake: () => undefined,
    changed: async () => undefined,
  };
  const gateway = await openGateway({ host: "127.0.0.1", port: 0, find: () => target });
  try {
    const figures = { direct: [] as number[], gateway: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      figures.direct.push(await load(appPort));
      figures.gateway.push(await load(gateway.port));
    }
    return [
      `| straight to the app | ${Math.round(median(figures.direct))} | |`,
      `| through the gateway | ${Math.round(median(figures.gateway))} | ${formatRatio(figures.gateway, figures.direct)} |`,
    ];
  } finally {
    await gateway.close();
    app.close();
  }
}

/** Requests a second, on connections that are kept. */
async function load(port: number): Promise<number> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: CONNECTIONS });
  let left = REQUESTS;
  const began = performance.now();
  const loop = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const headers = { host: "app--bench.localhost" };
      const { body } = await pool.request({ path: "/", method: "GET", headers });
      await body.dump();
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, loop));
  const seconds = (performance.now() - began) / 1000;
  await pool.close();
  return REQUESTS / seconds;
}

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === "string") throw new Error("It listens on a port.");
  return address.port;
}
