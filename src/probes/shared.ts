import { readFileSync } from "node:fs";

import type { Probe } from "./probe.ts";
import { connects, hearsCanary, opensToRead, readCanary, requireTarget } from "./reach.ts";
import { callSystem } from "./system-call.ts";

const KEYRING = "keyring of its user";

/** What processes share without a file or a network: sockets with a path or a name, memory, keys. */
export const SHARED: readonly Probe[] = [
  {
    id: "socket",
    tries: "speak to a socket of the machine by its path",
    expected: "not there",
    attempt: ({ witness }) => hearsCanary({ path: witness.socket }),
  },
  {
    id: "abstract-socket",
    tries: "speak to a socket of the machine by its name",
    expected: "nobody listens",
    attempt: ({ witness }) => hearsCanary({ path: witness.abstract }),
  },
  {
    id: "socket-list",
    tries: "see which sockets the machine has",
    expected: "its own alone",
    attempt: ({ witness }) =>
      readFileSync("/proc/net/unix", "utf8").includes(witness.abstract.slice(1))
        ? "saw a socket of the machine"
        : null,
  },
  {
    id: "neighbour-database-socket",
    tries: "speak to a neighbour's database",
    expected: "not there",
    attempt: ({ neighbour }) => connects({ path: neighbour.databaseSocket }),
  },
  {
    id: "own-database-socket",
    tries: "speak to its own database past its listener",
    expected: "not there",
    attempt: ({ own }) => connects({ path: own.databaseSocket }),
  },
  {
    id: "shared-memory",
    tries: "read memory that processes share (POSIX)",
    expected: "not there",
    attempt: ({ witness }) =>
      readCanary(requireTarget(witness.sharedMemory, "the machine has no /dev/shm")),
  },
  {
    id: "shared-segments",
    tries: "see memory that processes share (System V)",
    expected: "its own alone",
    attempt: ({ witness }) => {
      const segment = requireTarget(witness.segment, "Perl, which shares some, is not here");
      const list = readFileSync("/proc/sysvipc/shm", "utf8").split("\n");
      const isThere = list.some((line) => line.trim().split(/\s+/)[1] === segment);
      return isThere ? "saw another process's memory" : null;
    },
  },
  {
    id: "message-queues",
    tries: "see queues of messages",
    expected: "not there",
    attempt: () => opensToRead("/dev/mqueue"),
  },
  {
    id: "keys",
    tries: `find a key in the ${KEYRING}`,
    expected: "not permitted",
    attempt: ({ witness }) => {
      const key = requireTarget(witness.key, "the kernel keeps no keys, or Perl is not here");
      return callSystem("keyctl", `10, -4, "user", "${key}", 0`);
    },
  },
];
