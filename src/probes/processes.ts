import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { anyOf, type Probe } from "./probe.ts";
import {
  connects,
  listsFolder,
  ofMachine,
  opensToRead,
  opensToWrite,
  readCanary,
} from "./reach.ts";
import { callSystem } from "./system-call.ts";
import { CANARY_FILE, type Targets } from "./targets.ts";

export const PROCESSES: readonly Probe[] = [
  {
    id: "process-variables",
    tries: "read the variables of another process",
    expected: "no such process",
    attempt: ({ witness }) => readCanary(`/proc/${witness.process}/environ`),
  },
  {
    id: "process-arguments",
    tries: "read the command line of another process",
    expected: "no such process",
    attempt: (targets) =>
      ofMachine(opensToRead(`/proc/${targets.witness.process}/cmdline`), targets),
  },
  {
    id: "process-root",
    tries: "go in by the root of another process",
    expected: "no such process",
    attempt: ({ witness }) =>
      readCanary(path.join(`/proc/${witness.process}/root`, witness.folder, CANARY_FILE)),
  },
  {
    id: "process-folder",
    tries: "go in by the working folder of another process",
    expected: "no such process",
    attempt: ({ witness }) => readCanary(`/proc/${witness.process}/cwd/${CANARY_FILE}`),
  },
  {
    id: "process-descriptors",
    tries: "open what another process has open",
    expected: "no such process",
    attempt: ({ witness }) => {
      const folder = `/proc/${witness.process}/fd`;
      return anyOf(readdirSync(folder), (name) => readCanary(path.join(folder, name)));
    },
  },
  {
    id: "process-memory",
    tries: "write to the memory of another process",
    expected: "no such process",
    attempt: (targets) => ofMachine(opensToWrite(`/proc/${targets.witness.process}/mem`), targets),
  },
  {
    id: "process-memory-read",
    tries: "read another process's memory (process_vm_readv)",
    expected: "no such process",
    attempt: (targets) => ofMachine(readMemory(targets.witness), targets),
  },
  {
    id: "process-trace",
    tries: "trace another process (ptrace)",
    expected: "no such process",
    attempt: (targets) =>
      ofMachine(callSystem("ptrace", `0x4206, ${targets.witness.process}, 0, 0`), targets),
  },
  {
    id: "process-handle",
    tries: "get a handle of another process (pidfd)",
    expected: "no such process",
    attempt: (targets) =>
      ofMachine(callSystem("pidfd_open", `${targets.witness.process}, 0`), targets),
  },
  {
    id: "process-signal",
    tries: "signal another process",
    expected: "no such process",
    attempt: (targets) => mayBeSignalled(targets.witness.process, targets),
  },
  {
    id: "process-walk",
    tries: "find a secret in a walk through all processes",
    expected: "its own alone",
    attempt: () => {
      const numbers = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
      const files = ["environ", "cmdline"];
      return anyOf(
        numbers.flatMap((number) => files.map((file) => `/proc/${number}/${file}`)),
        readCanary,
      );
    },
  },
  {
    id: "neighbour-process",
    tries: "read the variables of a neighbour's process",
    expected: "no such process",
    attempt: ({ neighbour }) => readCanary(`/proc/${neighbour.process}/environ`),
  },
  {
    id: "neighbour-signal",
    tries: "signal a neighbour's process",
    expected: "no such process",
    attempt: (targets) => mayBeSignalled(targets.neighbour.process, targets),
  },
  {
    id: "keeper-signal",
    tries: "signal its own keeper",
    expected: "no such process",
    attempt: (targets) => mayBeSignalled(targets.own.keeper, targets),
  },
  {
    id: "keeper-memory",
    tries: "see its own keeper's memory",
    expected: "no such process",
    attempt: (targets) => {
      const maps = readFileSync(`/proc/${targets.own.keeper}/maps`, "utf8");
      return maps === "" ? null : ofMachine("read its keeper's memory map", targets);
    },
  },
  {
    id: "keeper-namespaces",
    tries: "enter its keeper's view of the machine (setns)",
    expected: "no such process",
    attempt: (targets) => {
      const file = `/proc/${targets.own.keeper}/ns/mnt`;
      const before = `open(my $f, "<", "${file}") or do { print "error ", $!+0; exit }`;
      return ofMachine(callSystem("setns", "fileno($f), 0", { before }), targets);
    },
  },
  {
    id: "keeper-socket",
    tries: "command its own keeper, or a neighbour's",
    expected: "not there",
    attempt: ({ own, neighbour }) =>
      anyOf([own.keeperSocket, neighbour.keeperSocket], (socket) => connects({ path: socket })),
  },
  {
    id: "process-tasks",
    tries: "list what another process does",
    expected: "no such process",
    attempt: (targets) =>
      ofMachine(listsFolder(`/proc/${targets.witness.process}/task`) ?? "", targets),
  },
];

function mayBeSignalled(number: number, targets: Targets): string {
  process.kill(number, 0);
  return ofMachine(`may signal process ${number}`, targets);
}

/** Four bytes, from where its program begins. */
function readMemory({ process: number, address }: Targets["witness"]): string {
  const before =
    'my $b = "\\0" x 4; my $l = pack("PQ", $b, 4); my $a = pack("QQ", hex("' + address + '"), 4)';
  return callSystem("process_vm_readv", `${number}, $l, 1, $a, 1, 0`, { before });
}
