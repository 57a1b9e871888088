import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, type Server, createServer } from "node:net";

import { afterEach, expect, test } from "vitest";

import { NODE, useStage } from "../../test/programs/process-stage.ts";
import * as door from "./process.ts";

const { launch, startAndHear } = useStage();
const servers = new Set<Server>();

afterEach(async () => {
  for (const server of servers) {
    server.close();
    await once(server, "close");
  }
  servers.clear();
});

async function listen(host: string, port = 0): Promise<number> {
  const server = createServer().listen({ host, port, exclusive: true });
  await once(server, "listening");
  servers.add(server);
  return portOf(server);
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("It listens on TCP.");
  return address.port;
}

test("a port on which somebody listens over IPv6 alone is not free", async () => {
  const port = await listen("::1");
  expect(await door.isPortFree(port)).toBe(false);
});

test("a port that is taken for UDP alone is free for TCP", async () => {
  const port = await door.findFreePort();
  const socket = createSocket("udp4");
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  expect(await door.isPortFree(port)).toBe(true);
  socket.close();
});

test("a port is still free after it was asked, again and again and by many at once", async () => {
  const port = await door.findFreePort();
  for (let round = 0; round < 3; round += 1) expect(await door.isPortFree(port)).toBe(true);
  expect(await listen("127.0.0.1", port)).toBe(port);
});

test("hundreds of ports that are given away differ, and lie below those of outgoing connections", async () => {
  const ports = await Promise.all(Array.from({ length: 300 }, async () => door.findFreePort()));
  expect(new Set(ports).size).toBe(300);
  expect(Math.min(...ports)).toBeGreaterThanOrEqual(20_000);
  expect(Math.max(...ports)).toBeLessThan(32_768);
});

test("a port that is taken is never given away", async () => {
  const taken = await Promise.all(
    Array.from({ length: 20 }, async () => listen("127.0.0.1", await door.findFreePort())),
  );
  const given = await Promise.all(Array.from({ length: 200 }, async () => door.findFreePort()));
  expect(given.filter((port) => taken.includes(port))).toEqual([]);
});

/** Prints the ports on which it listens, ascending. */
function listener(hosts: readonly string[], rest = ""): door.Launch {
  const script = `const { createServer } = require("node:net"); const hosts = ${JSON.stringify(hosts)}; const ports = [];
    for (const host of hosts) { const server = createServer().listen(0, host, () => {
      ports.push(server.address().port); if (ports.length === hosts.length) { ${rest}; console.log(JSON.stringify(ports)); } }); }`;
  return launch(NODE, "-e", script);
}

test("the ports of several processes are found together, each once and in order", async () => {
  const [one, two] = await Promise.all([
    startAndHear(listener(["127.0.0.1", "::1"])),
    startAndHear(listener(["0.0.0.0"])),
  ]);
  const expected = [...parsePorts(one.line), ...parsePorts(two.line)].toSorted((a, b) => a - b);

  const pids = [one.program.pid, two.program.pid, one.program.pid];
  expect(await door.findListeningPorts(pids)).toEqual([...new Set(expected)]);
});

test("a process's sockets that do not listen are no ports of its", async () => {
  const rest = `require("node:net").connect(ports[0], "127.0.0.1");
    require("node:dgram").createSocket("udp4").bind(0, "127.0.0.1")`;
  const { program, line } = await startAndHear(listener(["127.0.0.1"], rest));

  expect(await door.findListeningPorts([program.pid])).toEqual(parsePorts(line));
});

test("who has gone, or never was, listens nowhere", async () => {
  const { program } = await startAndHear(listener(["127.0.0.1"]));
  await door.endGroup(program.pid, { graceMs: 0 });

  expect(await door.findListeningPorts([program.pid, 2_147_483_000])).toEqual([]);
});

function parsePorts(line: string): number[] {
  const ports: unknown = JSON.parse(line);
  if (!Array.isArray(ports)) throw new Error("It prints a list.");
  return ports.map(Number).toSorted((a, b) => a - b);
}
