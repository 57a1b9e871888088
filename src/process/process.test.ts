import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";

import { expect, test } from "vitest";

import {
  IS_ROOT,
  LIMIT_MS,
  NODE,
  PATH,
  STRANGER,
  VARIABLE,
  useStage,
} from "../../test/programs/process-stage.ts";
import { waitFor } from "../base/clock.ts";
import { exists } from "../base/remove-inside.ts";
import * as door from "./process.ts";

const { launch, fixture, run, startAndHear, folder, mark } = useStage();

test("a program's output, exit code and input are its own", async () => {
  const result = await door.runProgram(launch("sh", "-c", "cat; echo oops >&2; exit 3"), {
    timeoutMs: LIMIT_MS,
    input: "hello",
  });

  expect(result).toEqual({
    exitCode: 3,
    signal: null,
    isWhole: true,
    stdout: "hello",
    stderr: "oops\n",
  });
});

test("a program sees the environment it was given and nothing of ours", async () => {
  const { stdout } = await door.runProgram(launch("env"), { timeoutMs: LIMIT_MS });

  expect(stdout.trim().split("\n").toSorted()).toEqual([`PATH=${PATH}`, `${VARIABLE}=${mark()}`]);
});

test("a program that never reads its input does no harm", async () => {
  const result = await door.runProgram(launch("true"), {
    timeoutMs: LIMIT_MS,
    input: "x".repeat(1_000_000),
  });

  expect(result.exitCode).toBe(0);
});

test("a missing program, a missing folder and a file that is no program are told apart", async () => {
  await expect(run(launch("no-such-program"))).rejects.toMatchObject({ code: "program_missing" });
  await expect(run(launch(folder()))).rejects.toMatchObject({ code: "program_failed" });
  await expect(run({ ...launch("true"), folder: "/no/such/folder" })).rejects.toMatchObject({
    code: "program_failed",
    message: expect.stringContaining("/no/such/folder"),
  });
  await expect(run(launch("true", "a\0b"))).rejects.toMatchObject({ code: "program_failed" });
});

test("of a flood the beginning and the end are kept, and the whole of it is heard", async () => {
  let heard = 0;
  const { stdout } = await door.runProgram(fixture("prints-100-mb.mjs"), {
    timeoutMs: 60_000,
    maxOutputBytes: 1_000,
    onOutput: (_stream, chunk) => (heard += chunk.length),
  });

  expect(heard).toBe(100_000_000);
  expect(stdout).toMatch(/^x{99}\n[\s\S]*\n… 99999000 bytes left out …\n[\s\S]*x{99}\n$/);
});

test("a character cut in two by a chunk's end is heard whole", async () => {
  let heard = "";
  await door.runProgram(launch("sh", "-c", "printf '\\342\\202'; sleep 0.1; printf '\\254'"), {
    timeoutMs: LIMIT_MS,
    onOutput: (_stream, chunk) => (heard += chunk),
  });

  expect(heard).toBe("€");
});

test("a program that closes its output early is waited for", async () => {
  const result = await door.runProgram(fixture("closes-stdout.sh"), { timeoutMs: LIMIT_MS });

  expect(result.exitCode).toBe(7);
});

test("a grandchild that holds the pipe does not keep the caller waiting, and lives on", async () => {
  const { stdout, exitCode, isWhole } = await door.runProgram(fixture("leaves-a-grandchild.mjs"), {
    timeoutMs: 30_000,
  });

  expect([exitCode, isWhole]).toEqual([0, false]);
  expect(door.isRunning(Number(stdout))).toBe(true);
});

test("what a child goes on printing after the program's end is heard, until it falls silent", async () => {
  const script = "(for i in $(seq 30); do sleep 0.02; printf x; done; exec sleep 60) & echo $!";
  const { stdout } = await door.runProgram(launch("sh", "-c", script), { timeoutMs: LIMIT_MS });
  const [pid, printed] = stdout.split("\n");
  process.kill(Number(pid), "SIGKILL");

  expect(printed).toBe("x".repeat(30));
});

test("at its time limit a program is ended with its children, even if it ignores SIGTERM", async () => {
  let pid = 0;
  const running = door.runProgram(
    launch("sh", "-c", "trap '' TERM; sleep 60 & echo $!; wait; wait"),
    {
      timeoutMs: 300,
      onOutput: (_stream, chunk) => (pid = Number(chunk)),
    },
  );

  await expect(running).rejects.toMatchObject({ code: "program_timed_out" });
  expect(door.isRunning(pid)).toBe(false);
});

test("an aborted program is ended, and the caller gets its own reason", async () => {
  const controller = new AbortController();
  let pid = 0;
  const running = door.runProgram(launch("sh", "-c", "echo $$; exec sleep 60"), {
    timeoutMs: 60_000,
    signal: controller.signal,
    onOutput: (_stream, chunk) => {
      pid = Number(chunk);
      controller.abort(new Error("changed my mind"));
    },
  });

  await expect(running).rejects.toThrow("changed my mind");
  expect(door.isRunning(pid)).toBe(false);
  await expect(
    door.runProgram(launch("touch", path.join(folder(), "late")), {
      timeoutMs: 1_000,
      signal: controller.signal,
    }),
  ).rejects.toThrow("changed my mind");
  expect(await exists(path.join(folder(), "late"))).toBe(false);
});

test("a detached program has a session of its own and appends its output", async () => {
  const output = path.join(folder(), "out.log");
  const script = "echo one; exec sleep 60";
  const pid = await door.startDetached(launch("sh", "-c", script), { output });
  await door.startDetached(launch("sh", "-c", "echo two"), { output });

  const text = await waitFor(
    async () => {
      const now = await readFile(output, "utf8");
      return now.length === 8 ? now : undefined;
    },
    { timeoutMs: LIMIT_MS },
  );
  expect(text?.split("\n").toSorted()).toEqual(["", "one", "two"]);
  expect(await door.findGroupMembers(pid)).toEqual([pid]);
});

test("a group whose member ignores SIGTERM is ended by SIGKILL after the grace", async () => {
  const { program } = await startAndHear(fixture("ignores-sigterm.mjs"));

  await door.endGroup(program.pid, { graceMs: 100 });

  expect(await program.exited).toEqual({ exitCode: null, signal: "SIGKILL" });
  expect(door.isRunning(program.pid)).toBe(false);
});

test("a group is ended after its leader has gone", async () => {
  const { program, line } = await startAndHear(fixture("leaves-the-group-behind.sh"));
  await program.exited;
  expect(await door.findGroupMembers(program.pid)).toEqual([Number(line)]);

  await door.endGroup(program.pid, { graceMs: 5_000 });

  expect(door.isRunning(Number(line))).toBe(false);
  await door.endGroup(program.pid, { graceMs: 5_000 });
});

test("a stopped process is ended without waiting for SIGKILL", async () => {
  const { program } = await startAndHear(
    launch("sh", "-c", "trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done"),
  );
  door.signalProcess(program.pid, "SIGSTOP");

  await door.endGroup(program.pid, { graceMs: 30_000 });

  expect(await program.exited).toEqual({ exitCode: 5, signal: null });
});

test("a family is a group with its descendants in other groups", async () => {
  const { program, line } = await startAndHear(
    launch(
      NODE,
      "-e",
      'const c = require("node:child_process").spawn("sleep", ["60"], { detached: true }); console.log(c.pid)',
    ),
  );

  expect(await door.findGroupMembers(program.pid)).toEqual([program.pid]);
  expect(new Set(await door.findFamily(program.pid))).toEqual(new Set([program.pid, Number(line)]));
});

test("marked processes are found wherever they went, by exact mark or by its beginning", async () => {
  const { line } = await startAndHear(fixture("leaves-a-grandchild.mjs"));
  const other = await door.startPiped({
    ...launch("sleep", "60"),
    environment: { FILLER: "f".repeat(100_000), [VARIABLE]: `${mark()}.other` },
  });

  const found = await door.findMarked(VARIABLE, mark());
  expect(found).toContainEqual({ pid: Number(line), mark: mark() });
  expect(found).toContainEqual({ pid: other.pid, mark: `${mark()}.other` });

  await door.endMarked(VARIABLE, mark(), { graceMs: 5_000 });
  expect(door.isRunning(Number(line))).toBe(false);
  expect(door.isRunning(other.pid)).toBe(true);

  await door.endMarked(VARIABLE, `${mark()}.other`, { graceMs: 5_000 });
  expect(await door.findMarked(VARIABLE, mark())).toEqual([]);
});

test("a zombie does not run, and a process that is gone cannot be signalled", async () => {
  const { program, line } = await startAndHear(
    launch("sh", "-c", "sh -c 'echo $$; exec sleep 0.05' & exec sleep 60"),
  );
  const child = Number(line);

  expect(
    await waitFor(() => (door.isRunning(child) ? undefined : true), { timeoutMs: LIMIT_MS }),
  ).toBe(true);
  expect(await door.findGroupMembers(program.pid)).toEqual([program.pid]);

  await door.endGroup(program.pid, { graceMs: 5_000 });
  expect(door.signalProcess(program.pid, "SIGTERM")).toBe(false);
});

test("nobody is able to signal everybody by a slip", () => {
  for (const pid of [0, 1, -1, Number.NaN, 1.5]) {
    expect(() => door.signalProcess(pid, "SIGTERM")).toThrow("is no process to signal");
  }
});

test("free ports are free, differ, and are taken once somebody listens", async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, () => door.findFreePort()));
  expect(new Set(ports).size).toBe(50);

  for (const host of ["127.0.0.1", "0.0.0.0"]) {
    const port = await door.findFreePort();
    const server = createServer().listen(port, host);
    await once(server, "listening");
    expect(await door.isPortFree(port)).toBe(false);
    server.close();
    await once(server, "close");
    expect(await door.isPortFree(port)).toBe(true);
  }
});

test("the ports on which a process listens are found, on loopback and on all addresses", async () => {
  const script = `const { createServer } = require("node:net");
    const hosts = ["127.0.0.1", "0.0.0.0"]; const ports = [];
    for (const host of hosts) { const s = createServer().listen(0, host, () => {
      ports.push(s.address().port); if (ports.length === 2) console.log(ports.sort((a, b) => a - b).join(" ")); }); }`;
  const { program, line } = await startAndHear(launch(NODE, "-e", script));

  expect(await door.findListeningPorts([program.pid])).toEqual(line.split(" ").map(Number));
  expect(await door.findListeningPorts([])).toEqual([]);
});

test("an attached program's exit is passed on, and SIGTERM reaches it", async () => {
  const entry = `const { runAttached } = await import(${JSON.stringify(path.join(import.meta.dirname, "process.ts"))});
    const exit = await runAttached({ file: "sh", args: ["-c", "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done"],
      folder: "/", environment: { PATH: "/usr/bin:/bin", ${VARIABLE}: "${mark()}" }, user: null });
    console.log(JSON.stringify(exit));`;
  const { program } = await startAndHear(launch(NODE, "--input-type=module", "-e", entry));
  const rest = once(program.stdout, "data");

  process.kill(program.pid, "SIGTERM");

  expect(String((await rest)[0])).toBe('{"exitCode":9,"signal":null}\n');
});

test.runIf(IS_ROOT)("another user's program has that user's group alone", async () => {
  const { stdout } = await door.runProgram(
    { ...launch("sh", "-c", "id -u; id -G"), folder: "/", user: STRANGER },
    { timeoutMs: LIMIT_MS },
  );

  expect(stdout).toBe("54321\n54322\n");
});
