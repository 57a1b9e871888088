import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

import {
  findKeeperPid,
  LIMIT_MS,
  logged,
  PROGRAMS,
  SEARCH_PATH,
  stateOf,
  until,
  useBench,
} from "../../../test/programs/bench.ts";
import { ask, makeSandbox, startInside, TOOLS } from "../../../test/programs/sandbox.ts";
import { waitFor } from "../../base/clock.ts";
import { exists } from "../../base/remove-inside.ts";
import { MARK_VARIABLE } from "../../environment/places.ts";
import { findMarked, isRunning, signalProcess } from "../../process/process.ts";
import type { ProcessPlan, Runtime } from "../runtime.ts";
import { startRuntime } from "../runtime.ts";
import type { Sandbox } from "./sandbox.ts";

const bench = useBench();

describe.each(TOOLS)("sealed off by $tool", (tool) => {
  test("a process sees its own tree, to write, and nothing else that lies beside it", async () => {
    const { folder } = bench();
    const sandbox = await makeSandbox(folder, tool);
    await writeFile(path.join(folder, "tree", "own.txt"), "own");
    await writeFile(path.join(folder, "secret.txt"), "another's");
    const runtime = await startInside(bench());
    const read = `cat ${folder}/tree/own.txt ${folder}/secret.txt`;

    expect(await ask(runtime, bench(), { sandbox: null, command: read })).toContain("another's");
    const seen = await ask(runtime, bench(), { sandbox, command: read });
    expect(seen).toContain("own");
    expect(seen).not.toContain("another's");

    const write = `echo new > made.txt && cat made.txt; echo x > /usr/x || echo x > /x || echo read-only`;
    expect(await ask(runtime, bench(), { sandbox, command: write })).toMatch(/new[^]*read-only/);
    expect(await readFile(path.join(folder, "tree", "made.txt"), "utf8")).toBe("new\n");
  });

  test("what is shown of the surroundings can be read and not written to, inside the tree too", async () => {
    const { folder } = bench();
    const tree = path.join(folder, "tree");
    await mkdir(path.join(tree, ".git", "hooks"), { recursive: true });
    const sandbox = await makeSandbox(folder, tool, [path.join(tree, ".git")]);
    const runtime = await startInside(bench());
    const plant = "echo evil > .git/hooks/pre-commit; rm -rf .git; mv .git away; ls -d .git";

    expect(await ask(runtime, bench(), { sandbox, command: plant })).toContain("Read-only");
    expect(await exists(path.join(tree, ".git", "hooks", "pre-commit"))).toBe(false);
    await ask(runtime, bench(), { sandbox: null, command: `cd tree; ${plant}` });
    expect(await exists(path.join(tree, ".git"))).toBe(false);
  });

  test("other processes of the machine are neither seen nor ended, its own names are its own", async () => {
    const sandbox = await makeSandbox(bench().folder, tool);
    const runtime = await startInside(bench());
    const keeper = await findKeeperPid(bench());
    const look = `ls -d /proc/${keeper}; kill -0 ${keeper} && echo reached; hostname; id -un`;

    expect(await ask(runtime, bench(), { sandbox: null, command: look })).toContain("reached");
    const seen = await ask(runtime, bench(), { sandbox, command: look });
    expect(seen).not.toContain("reached");
    expect(seen).toContain("shop--x");
    expect(seen).toContain("somebody");
  });

  test("the kernel's settings, which whoever is root outside could change, are to read", async () => {
    const sandbox = await makeSandbox(bench().folder, tool);
    const runtime = await startInside(bench());
    // Writes back what stands there.
    const name = "/proc/sys/kernel/domainname";
    const change = `cat ${name} > /tmp/was && cat /tmp/was > ${name} && echo changed`;
    const isRoot = process.getuid?.() === 0;

    expect(
      (await ask(runtime, bench(), { sandbox: null, command: change })).includes("changed"),
    ).toBe(isRoot);
    expect(await ask(runtime, bench(), { sandbox, command: change })).not.toContain("changed");
  });

  test("it has no capability, and gains none in a namespace that it makes", async () => {
    const sandbox = await makeSandbox(bench().folder, tool);
    const runtime = await startInside(bench());
    const command =
      "grep CapEff /proc/self/status; unshare -Urm sh -c 'umount /usr && echo uncovered; mount -o remount,rw /usr && echo writable'";

    const seen = await ask(runtime, bench(), { sandbox, command });
    expect(seen).toContain("CapEff:\t0000000000000000");
    expect(seen).not.toMatch(/uncovered|writable/);
  });

  test("listeners of the machine are not reached, by port or by abstract name", async () => {
    const { folder } = bench();
    const sandbox = await makeSandbox(folder, tool);
    const runtime = await startInside(bench());
    const name = `ramet-test-${path.basename(folder)}`;
    const servers = [createServer().listen(0, "127.0.0.1"), createServer().listen(`\0${name}`)];
    await Promise.all(servers.map((server) => once(server, "listening")));
    const address = servers[0]?.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const dial = `const net = require("node:net"); for (const to of [{ port: ${port}, host: "127.0.0.1" }, { path: "\\0${name}" }]) net.connect(to, () => { console.log("reached"); process.exit(); }).on("error", (e) => console.log(e.code));`;

    expect((await promisify(execFile)(process.execPath, ["-e", dial])).stdout).toContain("reached");
    const seen = await ask(runtime, bench(), { sandbox, command: `node -e '${dial}'` });
    expect(seen).not.toContain("reached");
    expect(seen).toContain("ECONNREFUSED");
    for (const server of servers) server.close();
  });

  test("what it is given stands in no list of processes", async () => {
    const sandbox = await makeSandbox(bench().folder, tool);
    const runtime = await startInside(bench());
    await runtime.apply(
      inside(sandbox, { command: "echo up; exec sleep 600", variables: { KEY: "s3cr3t-value" } }),
    );
    await logged(bench(), /^up/);

    const { stdout } = await promisify(execFile)("ps", ["-axww", "-o", "args="]);
    expect(stdout).toContain("sleep 600");
    expect(stdout).not.toContain("s3cr3t-value");
    expect(stdout).not.toContain(path.join(bench().folder, "home"));
  });

  test("a variable by which the loader does what the app wants is obeyed inside alone", async () => {
    const { folder } = bench();
    const sandbox = await makeSandbox(folder, tool);
    const runtime = await startInside(bench());
    const written = async (): Promise<readonly string[]> =>
      (await readdir(folder)).filter((name) => name.startsWith("loader."));
    const variables = { LD_DEBUG: "statistics", LD_DEBUG_OUTPUT: path.join(folder, "loader") };

    await ask(runtime, bench(), { sandbox, command: "env | grep LD_DEBUG=", variables });
    expect(await written()).toEqual([]);
    await ask(runtime, bench(), { sandbox: null, command: "env", variables });
    expect(await written()).not.toEqual([]);
  });

  test("a stopped process may end by itself, and what fled from it ends with it", async () => {
    const sandbox = await makeSandbox(bench().folder, tool);
    const runtime = await startInside(bench());
    const command = `env -i setsid sleep 4711 & trap 'echo bye > told.txt; exit' TERM; echo up; while :; do sleep 0.05; done`;
    await runtime.apply(inside(sandbox, { command }));
    await logged(bench(), /^up/);
    // It becomes that program a moment after it was begun.
    expect(await untilSleepers(1)).toBe(true);

    await runtime.stop();

    expect(await readFile(path.join(bench().folder, "tree", "told.txt"), "utf8")).toBe("bye\n");
    expect(await untilSleepers(0)).toBe(true);
    expect(await findMarked(MARK_VARIABLE, bench().place.mark)).toEqual([]);
  });

  test("how a process ended is told as if it had run outside", async () => {
    const sandbox = await makeSandbox(bench().folder, tool);
    const runtime = await startInside(bench());
    await runtime.apply(inside(sandbox, { command: "exit 7" }));
    expect((await until(runtime, "restarting")).problem?.message).toContain("exited with code 7");
    await runtime.apply(inside(sandbox, { command: "kill -KILL $$" }));
    expect((await until(runtime, "restarting")).problem?.message).toContain("was ended by SIGKILL");
  });

  test("after a keeper was killed its processes are found and ended before others start", async () => {
    const sandbox = await makeSandbox(bench().folder, tool);
    const runtime = await startInside(bench());
    await runtime.apply(inside(sandbox, { command: "echo up; exec sleep 600" }));
    await logged(bench(), /^up/);
    const before = (await findMarked(MARK_VARIABLE, bench().place.mark)).map(({ pid }) => pid);
    expect(before.length).toBeGreaterThan(1);

    signalProcess(await findKeeperPid(bench()), "SIGKILL");
    await runtime.closed;
    await startRuntime(bench().place, { hasOwnNetwork: true });

    expect(before.filter(isRunning)).toEqual([]);
  });

  test("a link that leads out of the tree leads nowhere", async () => {
    const { folder } = bench();
    const sandbox = await makeSandbox(folder, tool);
    await writeFile(path.join(folder, "secret.txt"), "another's");
    await symlink("../secret.txt", path.join(folder, "tree", "link"));
    const runtime = await startInside(bench());

    expect(await ask(runtime, bench(), { sandbox: null, command: "cat tree/link" })).toContain(
      "another's",
    );
    expect(await ask(runtime, bench(), { sandbox, command: "cat link" })).toContain("No such file");
  });
});

test("a keeper in a network of its own says so, and serves every port on the machine's loopback", async () => {
  for (const _ of TOOLS.slice(0, 1)) {
    const runtime: Runtime = await startInside(bench());
    expect(runtime.hasOwnNetwork).toBe(true);
    await runtime.apply({
      processes: [
        {
          ...plain("exec node serves.mjs"),
          folder: PROGRAMS,
          port: 80,
          environment: { PATH: SEARCH_PATH, PORT: "80" },
          ready: { kind: "port", timeoutMs: LIMIT_MS },
        },
      ],
      relays: [],
      inlets: bench().folder,
      addresses: null,
      wayOut: null,
    });
    await until(runtime, "ready");
    expect(stateOf(runtime).port).toBe(80);
    expect(await exists(path.join(bench().folder, "80"))).toBe(true);
  }
});

function inside(
  sandbox: Sandbox,
  { command, variables = {} }: { command: string; variables?: Record<string, string> },
): Parameters<Runtime["apply"]>[0] {
  const plan = plain(command);
  const environment = { ...plan.environment, ...variables };
  const folder = path.join(bench().folder, "tree");
  return {
    processes: [{ ...plan, sandbox, environment, folder }],
    relays: [],
    inlets: null,
    addresses: null,
    wayOut: null,
  };
}

function plain(command: string): ProcessPlan {
  return {
    name: "web",
    command,
    folder: bench().folder,
    port: null,
    ready: { kind: "none" },
    environment: { PATH: SEARCH_PATH },
    sandbox: null,
    problem: null,
  };
}

async function untilSleepers(count: number): Promise<true | undefined> {
  return waitFor(async () => ((await listSleepers()).length === count ? true : undefined), {
    timeoutMs: LIMIT_MS,
  });
}

async function listSleepers(): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)("ps", ["-axww", "-o", "args="]);
  return stdout.split("\n").filter((line) => line === "sleep 4711");
}
