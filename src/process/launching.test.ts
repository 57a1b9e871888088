import { once } from "node:events";
import { chmod, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

import fc from "fast-check";
import { expect, test } from "vitest";

import {
  IS_ROOT,
  LIMIT_MS,
  NODE,
  PATH,
  STRANGER,
  useStage,
} from "../../test/programs/process-stage.ts";
import { waitFor } from "../base/clock.ts";
import { exists } from "../base/remove-inside.ts";
import * as door from "./process.ts";

const { launch, run, startAndHear, folder } = useStage();

const odd = fc.string({
  unit: fc.constantFrom("a", " ", "'", '"', "$", "`", "\\", "\n", ";", "*", "-", "é", "🦊"),
  maxLength: 12,
});

test("arguments and variables arrive as they are: no shell reads them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(odd, { maxLength: 8 }), odd, async (args, value) => {
      const script = "console.log(JSON.stringify([process.argv.slice(1), process.env.ODD]))";
      const one = launch(NODE, "-e", script, "--", ...args);
      const { stdout } = await run({ ...one, environment: { ...one.environment, ODD: value } });
      expect(JSON.parse(stdout)).toEqual([args, value]);
    }),
    { numRuns: 15 },
  );
});

test("a name is looked up on the launch's own PATH, not on ours", async () => {
  const tool = path.join(folder(), "mytool");
  await writeFile(tool, "#!/bin/sh\necho mine\n");
  await chmod(tool, 0o755);
  const one = launch("mytool");

  await expect(run(one)).rejects.toMatchObject({ code: "program_missing" });
  const found = await run({ ...one, environment: { PATH: `${folder()}:${PATH}` } });
  expect(found.stdout).toBe("mine\n");
});

test("a program runs in its folder", async () => {
  const { stdout } = await run(launch("pwd"));
  expect(stdout.trim()).toBe(folder());
});

test("a file in place of a folder is told from a missing program", async () => {
  const file = path.join(folder(), "file");
  await writeFile(file, "");
  await expect(run({ ...launch("true"), folder: file })).rejects.toMatchObject({
    code: "program_failed",
  });
});

test("an argument list that is too long is a problem, not a crash", async () => {
  await expect(run(launch("true", "x".repeat(4_000_000)))).rejects.toMatchObject({
    code: "program_failed",
  });
});

test("both streams are kept apart, each with its own beginning and end", async () => {
  const script = "for n in $(seq 1000); do echo out $n; echo err $n >&2; done";
  const { stdout, stderr, isWhole } = await door.runProgram(launch("sh", "-c", script), {
    timeoutMs: LIMIT_MS,
    maxOutputBytes: 200,
  });
  expect(isWhole).toBe(false);

  for (const [text, word] of [
    [stdout, "out"],
    [stderr, "err"],
  ] as const) {
    expect(text.startsWith(`${word} 1\n${word} 2\n`)).toBe(true);
    expect(text.endsWith(`${word} 1000\n`)).toBe(true);
    expect(text).toContain("bytes left out");
    expect(text.length).toBeLessThan(300);
  }
});

test("what is heard is whole, stream by stream, though little of it is kept", async () => {
  const heard = { stdout: "", stderr: "" };
  await door.runProgram(launch("sh", "-c", "printf 'a%.0s' $(seq 500); printf b >&2"), {
    timeoutMs: LIMIT_MS,
    maxOutputBytes: 2,
    onOutput: (stream, chunk) => (heard[stream] += chunk),
  });
  expect(heard).toEqual({ stdout: "a".repeat(500), stderr: "b" });
});

test("input of megabytes arrives whole, and is ended", async () => {
  const input = "0123456789".repeat(300_000);
  const { stdout } = await door.runProgram(launch("wc", "-c"), { timeoutMs: LIMIT_MS, input });
  expect(Number(stdout)).toBe(input.length);
});

test("without input a program reads an end at once", async () => {
  const { stdout, exitCode, isWhole } = await run(launch("sh", "-c", "cat; echo over"));
  expect([stdout, exitCode, isWhole]).toEqual(["over\n", 0, true]);
});

test("a signal that was aborted before is heard before anything is started", async () => {
  const mine = new Error("not now");
  const file = path.join(folder(), "made");
  const signal = AbortSignal.abort(mine);
  const options = { timeoutMs: LIMIT_MS, signal };
  await expect(door.runProgram(launch("touch", file), options)).rejects.toBe(mine);
  expect(await exists(file)).toBe(false);
});

test("an abort that comes after the end changes nothing", async () => {
  const controller = new AbortController();
  const options = { timeoutMs: LIMIT_MS, signal: controller.signal };
  const result = await door.runProgram(launch("echo", "done"), options);
  controller.abort(new Error("too late"));
  expect(result).toMatchObject({ exitCode: 0, stdout: "done\n" });
});

test("many at once each get what is theirs", async () => {
  const results = await Promise.all(
    Array.from({ length: 30 }, async (_, at) => run(launch("sh", "-c", `echo ${at}; exit ${at}`))),
  );
  expect(results.map(({ stdout, exitCode }) => [Number(stdout), exitCode])).toEqual(
    results.map((_, at) => [at, at]),
  );
});

test("a detached program does not write through a link that was planted for its output", async () => {
  const victim = path.join(folder(), "victim");
  const output = path.join(folder(), "out.log");
  await writeFile(victim, "mine");
  await symlink(victim, output);

  await expect(door.startDetached(launch("echo", "x"), { output })).rejects.toMatchObject({
    code: "ELOOP",
  });
  expect(await readFile(victim, "utf8")).toBe("mine");
});

test("a detached program that cannot be started is a problem", async () => {
  const output = path.join(folder(), "out.log");
  await expect(door.startDetached(launch("no-such-program"), { output })).rejects.toMatchObject({
    code: "program_missing",
  });
});

test("a detached program's output is for its owner alone", async () => {
  const output = path.join(folder(), "out.log");
  await door.startDetached(launch("echo", "x"), { output });
  expect((await stat(output)).mode & 0o777).toBe(0o600);
});

test("whoever supervises a program reads its streams to their ends", async () => {
  const program = await door.startPiped(launch("sh", "-c", "echo out; echo err >&2"));
  const [out, err] = [program.stdout.toArray(), program.stderr.toArray()];
  expect(String(Buffer.concat(await out))).toBe("out\n");
  expect(String(Buffer.concat(await err))).toBe("err\n");
  expect(await program.exited).toEqual({ exitCode: 0, signal: null });
});

test.each(["SIGTERM", "SIGHUP", "SIGINT"] as const)(
  "%s reaches an attached program where no terminal sends it",
  async (signal) => {
    const program = await startAttached("trap 'exit 9' TERM HUP INT; echo up");
    process.kill(program.pid, signal);
    expect(await restOf(program)).toBe('{"exitCode":9,"signal":null,"listeners":0}\n');
  },
);

test("an attached program that is killed is told by its signal", async () => {
  const { stdout } = await run(launch(NODE, "--input-type=module", "-e", attach("kill -KILL $$")));
  expect(stdout).toBe('{"exitCode":null,"signal":"SIGKILL","listeners":0}\n');
});

/** Says `up`, and how it ended. */
async function startAttached(script: string): Promise<door.PipedProgram> {
  const { program } = await startAndHear(launch(NODE, "--input-type=module", "-e", attach(script)));
  return program;
}

/** A program that runs `sh` attached to itself, says how that ended, and whether it still listens for signals. */
function attach(script: string): string {
  return `const { runAttached } = await import(${JSON.stringify(path.join(import.meta.dirname, "process.ts"))});
    const args = ["-c", ${JSON.stringify(`${script}; while :; do sleep 0.05; done`)}];
    const exit = await runAttached({ file: "sh", args, folder: "/", environment: { PATH: "${PATH}" }, user: null });
    console.log(JSON.stringify({ ...exit, listeners: process.listenerCount("SIGTERM") }));`;
}

async function restOf({ stdout }: door.PipedProgram): Promise<string> {
  const [chunk]: unknown[] = await once(stdout, "data");
  return String(chunk);
}

test.runIf(IS_ROOT)("another user's program makes files that are that user's", async () => {
  const own = path.join(folder(), "own");
  await mkdir(own);
  await chmod(own, 0o777);
  await run({ ...launch("touch", path.join(own, "file")), user: STRANGER });

  const { uid, gid } = await stat(path.join(own, "file"));
  expect({ uid, gid }).toEqual(STRANGER);
});

test.runIf(IS_ROOT)("another user's program reads nothing that is root's", async () => {
  const secret = path.join(folder(), "secret");
  await writeFile(secret, "the key", { mode: 0o600 });
  const read = launch("cat", secret);
  // The attack works for root itself.
  expect((await run(read)).stdout).toBe("the key");

  const { stdout, exitCode } = await run({ ...read, user: STRANGER });

  expect([stdout, exitCode]).toEqual(["", 1]);
});

test.runIf(IS_ROOT)(
  "a detached program of another user writes into a file that we opened",
  async () => {
    const output = path.join(folder(), "out.log");
    await door.startDetached({ ...launch("id", "-u"), user: STRANGER }, { output });

    const text = await waitFor(async () => (await readFile(output, "utf8")) || undefined, {
      timeoutMs: LIMIT_MS,
    });
    expect(text).toBe(`${STRANGER.uid}\n`);
    expect((await stat(output)).uid).toBe(0);
  },
);
