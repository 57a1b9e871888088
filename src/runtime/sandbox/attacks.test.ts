import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { findKeeperPid, SEARCH_PATH, logged, useBench } from "../../../test/programs/bench.ts";
import { ask, makeSandbox, startInside, TOOLS } from "../../../test/programs/sandbox.ts";
import type { Runtime } from "../runtime.ts";

const bench = useBench();

/** What lies about for the taking. */
type Loot = {
  readonly folder: string;
  readonly keeper: number;
  /** A process of a neighbour, which has a secret in its environment. */
  readonly neighbour: number;
};

type Attack = {
  readonly what: string;
  /** Prints `TAKEN` where it succeeds. */
  readonly command: (loot: Loot) => string;
};

const ATTACKS: readonly Attack[] = [
  {
    what: "reads a neighbour's file",
    command: ({ folder }) => `grep -q canary ${folder}/other/secret.txt && echo TAKEN`,
  },
  {
    what: "reads it by way of its own tree",
    command: ({ folder }) => `grep -q canary ${folder}/tree/../other/secret.txt && echo TAKEN`,
  },
  {
    what: "reads it through a link that it makes",
    command: ({ folder }) =>
      `ln -sf ${folder}/other/secret.txt ${folder}/tree/l; grep -q canary ${folder}/tree/l && echo TAKEN`,
  },
  {
    what: "links it into its own tree",
    command: ({ folder }) =>
      `rm -f ${folder}/tree/h; ln ${folder}/other/secret.txt ${folder}/tree/h && echo TAKEN`,
  },
  {
    what: "writes into a neighbour's folder",
    command: ({ folder }) => `echo evil > ${folder}/other/evil.txt && echo TAKEN`,
  },
  {
    what: "lists a neighbour's folder",
    command: ({ folder }) => `ls ${folder}/other | grep -q secret && echo TAKEN`,
  },
  {
    what: "moves its own tree's parent",
    command: ({ folder }) =>
      `mv ${folder}/other ${folder}/moved && mv ${folder}/moved ${folder}/other && echo TAKEN`,
  },
  {
    what: "goes in by the root of a neighbour's process",
    command: ({ folder, neighbour }) =>
      `grep -q canary /proc/${neighbour}/root${folder}/other/secret.txt && echo TAKEN`,
  },
  {
    what: "goes in by the working folder of a neighbour's process",
    command: ({ neighbour }) => `ls /proc/${neighbour}/cwd/ >/dev/null && echo TAKEN`,
  },
  {
    what: "reads the environment of a neighbour's process",
    command: ({ neighbour }) => `grep -q canary /proc/${neighbour}/environ && echo TAKEN`,
  },
  {
    what: "reads the command line of a neighbour's process",
    command: ({ neighbour }) => `grep -q sleep /proc/${neighbour}/cmdline && echo TAKEN`,
  },
  {
    what: "opens what a neighbour's process has open",
    command: ({ neighbour }) => `ls -l /proc/${neighbour}/fd | grep -q 1 && echo TAKEN`,
  },
  {
    what: "finds a neighbour in a walk through all processes",
    command: () =>
      `grep -la canary /proc/[0-9]*/environ 2>/dev/null | grep -v /proc/$$/ | grep -q . && echo TAKEN`,
  },
  {
    what: "may signal a neighbour's process",
    command: ({ neighbour }) => `kill -0 ${neighbour} && echo TAKEN`,
  },
  {
    what: "may signal its own keeper",
    command: ({ keeper }) => `kill -0 ${keeper} && echo TAKEN`,
  },
  {
    what: "sees its own keeper's memory map",
    command: ({ keeper }) =>
      `test -s /proc/${keeper}/maps && cat /proc/${keeper}/maps > /dev/null && echo TAKEN`,
  },
  {
    what: "speaks to its own keeper's control socket",
    command: ({ folder }) =>
      `node -e 'require("net").connect("${folder}/keeper.sock").on("data", () => { console.log("TAKEN"); process.exit() }).on("error", () => {})'`,
  },
  {
    what: "changes its own logs",
    command: ({ folder }) => `ls ${folder}/logs > /dev/null && echo TAKEN`,
  },
  {
    what: "sees the machine's own sockets",
    command: ({ folder }) => `test -S ${folder}/machine.sock && echo TAKEN`,
  },
  {
    what: "sees which sockets the machine has by name",
    command: () => `grep -q ramet-attack-abstract /proc/net/unix && echo TAKEN`,
  },
  {
    what: "sees the machine's network devices",
    command: () => `tail -n +3 /proc/net/dev | grep -qv "lo:" && echo TAKEN`,
  },
  {
    what: "sees the machine's routes",
    command: () => `test "$(wc -l < /proc/net/route)" -gt 1 && echo TAKEN`,
  },
  {
    what: "sees the person's own folder",
    command: () => `ls -d /home/* ~root/.[a-z]* 2>/dev/null | grep -q . && echo TAKEN`,
  },
  {
    what: "sees who has an account",
    command: () => `test "$(wc -l < /etc/passwd)" -gt 5 && echo TAKEN`,
  },
  {
    what: "sees what the machine runs at its start",
    command: () =>
      `ls -d /etc/init.d /etc/systemd /etc/cron.d 2>/dev/null | grep -q . && echo TAKEN`,
  },
  {
    what: "sees the machine's devices and their settings",
    command: () => `ls /sys 2>/dev/null | grep -q . && echo TAKEN`,
  },
  {
    what: "sees the machine's variable data",
    command: () => `ls /var/lib 2>/dev/null | grep -q . && echo TAKEN`,
  },
  {
    what: "sees the machine's name",
    command: () => `test "$(cat /proc/sys/kernel/hostname)" != shop--x && echo TAKEN`,
  },
  {
    what: "sees the machine's mounts",
    command: () =>
      `grep -q " / ext4\\| / overlay\\| / btrfs\\| / xfs" /proc/self/mounts && echo TAKEN`,
  },
  {
    what: "sees the control groups of others",
    command: () => `ls /sys/fs/cgroup 2>/dev/null | grep -q . && echo TAKEN`,
  },
];

/** What runs beside it on the machine. */
async function layOut(runtime: Runtime): Promise<Loot> {
  const { folder } = bench();
  await mkdir(path.join(folder, "other"));
  await writeFile(path.join(folder, "other", "secret.txt"), "canary");
  await runtime.apply({
    processes: [
      {
        name: "neighbour",
        command: "echo up $$; exec sleep 600",
        folder: path.join(folder, "other"),
        port: null,
        ready: { kind: "none" },
        environment: { PATH: SEARCH_PATH, SECRET: "canary" },
        sandbox: null,
        problem: null,
      },
    ],
    relays: [],
    inlets: null,
    addresses: null,
    wayOut: null,
  });
  const neighbour = Number((await logged(bench(), /^up/, "neighbour")).split(" ")[1]);
  return { folder, keeper: await findKeeperPid(bench()), neighbour };
}

describe.each(TOOLS)("sealed off by $tool", (tool) => {
  test("none of these attacks succeeds, and with the defence switched off nearly every one does", async () => {
    const { folder } = bench();
    const sandbox = await makeSandbox(folder, tool);
    const machine = createServer().listen(path.join(folder, "machine.sock"));
    const abstract = createServer().listen("\0ramet-attack-abstract");
    await Promise.all([machine, abstract].map((server) => once(server, "listening")));
    const runtime = await startInside(bench());
    const loot = await layOut(runtime);
    const taken = async (inside: typeof sandbox | null): Promise<readonly string[]> => {
      const found: string[] = [];
      for (const { what, command } of ATTACKS) {
        const seen = await ask(runtime, bench(), {
          sandbox: inside,
          command: `{ ${command(loot)}; }`,
        });
        if (/^TAKEN$/m.test(seen)) found.push(what);
      }
      return found;
    };

    expect(await taken(sandbox)).toEqual([]);
    // The keeper's network is the environment's even so, and not every machine has all there is to see.
    expect((await taken(null)).length).toBeGreaterThan(18);
    machine.close();
    abstract.close();
  });
});
