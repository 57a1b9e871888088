import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";

import { anyOf, NotApplicable, type Probe, Refused } from "./probe.ts";
import { connects, hearsCanary, hearsDatagram, requireTarget } from "./reach.ts";
import { callSystem } from "./system-call.ts";
import type { Targets } from "./targets.ts";

const LOOPBACK = "127.0.0.1";
const NO_ADDRESS = "the machine has no such address";
/** Where clouds tell a machine its keys. */
const METADATA = "169.254.169.254";
/** Somebody who answers nearly everywhere. */
const OUTSIDE = { host: "1.1.1.1", port: 443 };
const OUTSIDE_NAME = "example.com";

export const NETWORK: readonly Probe[] = [
  {
    id: "loopback",
    tries: "reach what listens on the machine's loopback",
    expected: "nobody listens",
    attempt: ({ witness }) => hearsCanary({ host: LOOPBACK, port: witness.port }),
  },
  {
    id: "loopback-6",
    tries: "reach it by IPv6",
    expected: "nobody listens",
    attempt: ({ witness }) =>
      hearsCanary({ host: "::1", port: requireTarget(witness.port6, NO_ADDRESS) }),
  },
  {
    id: "machine-address",
    tries: "reach it by another address of the machine",
    expected: "no way there",
    attempt: ({ witness }) => hearsCanary(requireTarget(witness.outer, NO_ADDRESS)),
  },
  {
    id: "machine-name",
    tries: "reach it by the machine's name",
    expected: "no such address, or nobody listens",
    attempt: ({ witness, machine }) =>
      anyOf([machine.hostname, "host.docker.internal", "localhost.localdomain"], (host) =>
        hearsCanary({ host, port: witness.port }),
      ),
  },
  {
    id: "datagrams",
    tries: "reach it by UDP",
    expected: "nobody listens",
    attempt: ({ witness }) => hearsDatagram(witness.datagramPort),
  },
  {
    id: "neighbour-app",
    tries: "reach a neighbour's app by its port",
    expected: "not there",
    attempt: ({ neighbour }) =>
      hearsCanary(neighbour.app, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
  },
  {
    id: "database-gateway",
    tries: "reach the port that leads to every database",
    expected: "nobody listens",
    attempt: ({ server }) => connects({ host: LOOPBACK, port: server.databasePort }),
  },
  {
    id: "machine-listeners",
    tries: "see who listens on the machine",
    expected: "its own alone",
    attempt: ({ witness }) => {
      const port = witness.port.toString(16).toUpperCase().padStart(4, "0");
      return readFileSync("/proc/net/tcp", "utf8").includes(`:${port} `)
        ? "saw a listener of the machine"
        : null;
    },
  },
  {
    id: "machine-interfaces",
    tries: "see the machine's network devices",
    expected: "a loopback alone",
    attempt: () => {
      const names = readFileSync("/proc/net/dev", "utf8").trim().split("\n").slice(2);
      const others = names.map((line) => line.trim().split(":")[0]).filter((name) => name !== "lo");
      return others.length === 0 ? null : `saw ${others.join(", ")}`;
    },
  },
  {
    id: "machine-routes",
    tries: "see the machine's routes",
    expected: "none",
    attempt: () => {
      const routes = readFileSync("/proc/net/route", "utf8").trim().split("\n").slice(1);
      return routes.length === 0 ? null : `saw ${routes.length} routes`;
    },
  },
  {
    id: "metadata",
    tries: "reach where clouds tell a machine its keys",
    expected: "no way there",
    attempt: () => connects({ host: METADATA, port: 80 }),
  },
  {
    id: "raw-packets",
    tries: "read what others send (a raw socket)",
    expected: "not permitted",
    attempt: () => callSystem("socket", "17, 3, 0x0300"),
  },
  {
    id: "virtual-machine",
    tries: "reach the host of a virtual machine (vsock)",
    expected: "not permitted",
    attempt: () => callSystem("socket", "40, 1, 0"),
  },
  {
    id: "outside-by-name",
    tries: "reach a name outside that is not granted",
    expected: "no such address",
    attempt: async ({ network }) => {
      const name = requireForbidden(network);
      const { address } = await lookup(name);
      return connects({ host: address, port: 443 });
    },
  },
  {
    id: "outside-by-number",
    tries: "reach the world outside by number",
    expected: "no way there",
    attempt: ({ network }) => {
      requireForbidden(network);
      return connects(OUTSIDE);
    },
  },
];

function requireForbidden(network: Targets["network"]): string {
  if (network === "open") throw new NotApplicable("its ramet.json lets it reach the world");
  if (network !== "none" && network.some((name) => OUTSIDE_NAME.endsWith(name)))
    throw new Refused(`${OUTSIDE_NAME} is granted`);
  return OUTSIDE_NAME;
}
