import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { waitFor } from "../base/clock.ts";
import { MARK_VARIABLE } from "../environment/places.ts";
import { endMarked, isRunning } from "../process/process.ts";
import { readLog } from "./runtime.ts";
import { type Step, performStep } from "./step.ts";

let logs: string;
let mark: string;

beforeEach(async () => {
  logs = await mkdtemp(path.join(tmpdir(), "ramet-step-"));
  mark = `test.${path.basename(logs)}.step`;
});

afterEach(async () => {
  await endMarked(MARK_VARIABLE, mark, { graceMs: 0 });
  await rm(logs, { recursive: true });
});

function step(command: string, change: Partial<Step> = {}): Step {
  return {
    name: "setup",
    command,
    folder: logs,
    environment: { PATH: "/usr/local/bin:/usr/bin:/bin", GREETING: "hello", [MARK_VARIABLE]: mark },
    sandbox: null,
    relays: [],
    wayOut: null,
    logs,
    timeoutMs: 30_000,
    signal: new AbortController().signal,
    ...change,
  };
}

async function loggedTexts(): Promise<readonly string[]> {
  return (await readLog(logs, { process: "setup", last: 100 })).map((line) => line.text);
}

test("a step's exit code and last lines are told, and all its lines are logged", async () => {
  const result = await performStep(
    step("echo $GREETING; for n in $(seq 30); do echo $n >&2; done; exit 4"),
  );

  expect(result).toMatchObject({ exitCode: 4, signal: null });
  expect(result.lastLines.at(-1)).toBe("30");
  expect(result.lastLines).toHaveLength(20);
  const texts = await loggedTexts();
  expect(texts).toContain("hello");
  expect(texts).toHaveLength(33);
  expect(texts.at(-1)).toBe("exited with code 4");
});

test("a step that runs too long is ended with its children and is a problem", async () => {
  const running = performStep(step("sleep 600 & echo $!; wait", { timeoutMs: 500 }));

  await expect(running).rejects.toMatchObject({ code: "step_timed_out" });
  expect(isRunning(Number((await loggedTexts())[1]))).toBe(false);
});

test("an aborted step is ended, and the caller gets its own reason", async () => {
  const controller = new AbortController();
  const running = performStep(step("echo $$; exec sleep 600", { signal: controller.signal }));
  const failure = running.catch((error: unknown) => error);
  const pid = await waitFor(async () => Number((await loggedTexts())[1] ?? 0) || undefined, {
    timeoutMs: 20_000,
  });
  controller.abort(new Error("enough"));
  expect(await failure).toMatchObject({ message: "enough" });

  expect(isRunning(pid ?? 0)).toBe(false);
  await expect(performStep(step("true", { signal: controller.signal }))).rejects.toThrow("enough");
});

test("a step that leaves something behind which holds its output is over when it exits", async () => {
  const result = await performStep(step("sleep 600 & echo started"));

  expect(result).toMatchObject({ exitCode: 0, lastLines: ["started"] });
});

test("a step in a folder that is not there is a problem", async () => {
  await expect(
    performStep(step("true", { folder: path.join(logs, "none") })),
  ).rejects.toMatchObject({
    code: "program_failed",
  });
});
