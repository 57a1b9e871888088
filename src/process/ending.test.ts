import { readFile } from "node:fs/promises";
import path from "node:path";

import { expect, test } from "vitest";

import { IS_ROOT, LIMIT_MS, NODE, STRANGER, useStage } from "../../test/programs/process-stage.ts";
import { waitFor } from "../base/clock.ts";
import { exists } from "../base/remove-inside.ts";
import { processStuck } from "./problems.ts";
import * as door from "./process.ts";

const { launch, startAndHear, folder } = useStage();

test("SIGTERM reaches every member of a group, and each has its grace", async () => {
  const out = path.join(folder(), "heard");
  const member = `trap 'echo heard >> ${out}; exit 0' TERM; echo ready >> ${out}; while :; do sleep 0.05; done`;
  const { program } = await startAndHear(
    launch("sh", "-c", `(${member}) & (${member}) & (${member}) & echo up; wait`),
  );
  const lines = async (): Promise<readonly string[]> =>
    (await exists(out)) ? (await readFile(out, "utf8")).trim().split("\n") : [];
  await waitFor(async () => ((await lines()).length === 3 ? true : undefined), {
    timeoutMs: LIMIT_MS,
  });

  await door.endGroup(program.pid, { graceMs: LIMIT_MS });

  expect(await door.findGroupMembers(program.pid)).toEqual([]);
  expect((await lines()).slice(3)).toEqual(["heard", "heard", "heard"]);
});

test("a member that starts another at SIGTERM is ended with it", async () => {
  const { program } = await startAndHear(
    launch(
      "sh",
      "-c",
      "trap 'sleep 60 & sleep 60 & exit 0' TERM; echo up; while :; do sleep 0.05; done",
    ),
  );

  await door.endGroup(program.pid, { graceMs: LIMIT_MS });

  expect(await door.findGroupMembers(program.pid)).toEqual([]);
});

test("without a grace SIGKILL comes at once", async () => {
  const { program } = await startAndHear(
    launch("sh", "-c", "trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done"),
  );

  await door.endGroup(program.pid, { graceMs: 0 });

  expect(await program.exited).toEqual({ exitCode: null, signal: "SIGKILL" });
});

test("several who end the same group all see it ended", async () => {
  const { program } = await startAndHear(launch("sh", "-c", "sleep 60 & sleep 60 & echo up; wait"));

  await Promise.all(
    Array.from({ length: 5 }, async () => door.endGroup(program.pid, { graceMs: LIMIT_MS })),
  );

  expect(await door.findGroupMembers(program.pid)).toEqual([]);
});

test("a group that never was, or that is gone, is ended at once", async () => {
  const { program } = await startAndHear(launch("echo", "up"));
  await program.exited;

  for (const group of [program.pid, 2_147_483_000]) {
    await door.endGroup(group, { graceMs: LIMIT_MS });
    expect(await door.findGroupMembers(group)).toEqual([]);
  }
});

test.each([0, 1, -1, Number.NaN])("nobody ends the group %d by a slip", async (group) => {
  await expect(door.endGroup(group, { graceMs: 0 })).rejects.toThrow("is no process to signal");
});

test("a family does not include the neighbours that the same parent started", async () => {
  const first = await startAndHear(launch("sh", "-c", "echo up; exec sleep 60"));
  const second = await startAndHear(launch("sh", "-c", "echo up; exec sleep 60"));

  expect(await door.findFamily(first.program.pid)).toEqual([first.program.pid]);

  await door.endGroup(first.program.pid, { graceMs: LIMIT_MS });
  expect(door.isRunning(second.program.pid)).toBe(true);
});

test("a signal reaches the process alone, not its group", async () => {
  const { program, line } = await startAndHear(
    launch("sh", "-c", "trap 'exit 3' USR1; sleep 60 & echo $!; while :; do sleep 0.05; done"),
  );

  expect(door.signalProcess(program.pid, "SIGUSR1")).toBe(true);

  expect(await program.exited).toEqual({ exitCode: 3, signal: null });
  expect(door.isRunning(Number(line))).toBe(true);
});

test("a program's exit is told by its code or by its signal", async () => {
  const killed = await startAndHear(launch("sh", "-c", "echo up; kill -KILL $$"));
  const left = await startAndHear(launch("sh", "-c", "echo up; exit 42"));

  expect(await killed.program.exited).toEqual({ exitCode: null, signal: "SIGKILL" });
  expect(await left.program.exited).toEqual({ exitCode: 42, signal: null });
});

test("a problem of the stuck names some of them, not thousands", () => {
  const pids = Array.from({ length: 5_000 }, (_, at) => at + 2);
  const { code, message } = processStuck(pids);
  expect(code).toBe("process_stuck");
  expect(message.length).toBeLessThan(200);
});

test.runIf(IS_ROOT)("who may not signal a process is told so, and it runs on", async () => {
  const { program } = await startAndHear(launch("sh", "-c", "echo up; exec sleep 60"));
  const entry = `const { signalProcess, isRunning } = await import(${JSON.stringify(path.join(import.meta.dirname, "process.ts"))});
    process.setgid(${STRANGER.gid}); process.setuid(${STRANGER.uid});
    let refusal = ""; try { signalProcess(${program.pid}, "SIGTERM"); } catch (error) { refusal = error.code; }
    console.log(refusal, isRunning(${program.pid}));`;

  const { stdout } = await door.runProgram(launch(NODE, "--input-type=module", "-e", entry), {
    timeoutMs: LIMIT_MS,
  });

  expect(stdout).toBe("EPERM true\n");
  expect(door.isRunning(program.pid)).toBe(true);
});
