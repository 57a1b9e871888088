import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, test } from "vitest";

import {
  IS_ROOT,
  LIMIT_MS,
  NODE,
  STRANGER,
  VARIABLE,
  useStage,
} from "../../test/programs/process-stage.ts";
import { waitFor } from "../base/clock.ts";
import * as door from "./process.ts";

const { launch, startAndHear, folder, mark } = useStage();
const SLEEPER = ["sh", "-c", "echo up; exec sleep 60"] as const;

/** A program that has this environment besides its mark. */
async function startWith(environment: Readonly<Record<string, string>>): Promise<number> {
  const one = launch(...SLEEPER);
  const { program } = await startAndHear({
    ...one,
    environment: { ...one.environment, ...environment },
  });
  return program.pid;
}

test("a process has its mark, wherever in its environment that stands, and no other", async () => {
  const filler = "f".repeat(100_000);
  const pids = await Promise.all([
    startWith({}),
    startWith({ A: filler, Z: filler }),
    startWith({ [`X${VARIABLE}`]: "before", [`${VARIABLE}X`]: "after" }),
  ]);

  for (const pid of pids) {
    expect(await door.hasMark(pid, VARIABLE, mark())).toBe(true);
    expect(await door.hasMark(pid, VARIABLE, mark().slice(0, -1))).toBe(false);
    expect(await door.hasMark(pid, VARIABLE, `${mark()}x`)).toBe(false);
    expect(await door.hasMark(pid, "NO_SUCH_VARIABLE", mark())).toBe(false);
  }
});

test("a mark that stands within another variable's value is none", async () => {
  const forged = `${VARIABLE}=forged`;
  const pid = await startWith({ A: forged, B: `x ${forged} y`, C: `=${forged}` });

  expect(await door.hasMark(pid, VARIABLE, "forged")).toBe(false);
  expect(await door.findMarked(VARIABLE, "forged")).toEqual([]);
});

test("nobody has a mark who has gone, or never was", async () => {
  const { program } = await startAndHear(launch("sh", "-c", "echo up; exit 0"));
  await program.exited;

  expect(await door.hasMark(program.pid, VARIABLE, mark())).toBe(false);
  expect(await door.hasMark(2_147_483_000, VARIABLE, mark())).toBe(false);
});

test("a zombie has no mark any more", async () => {
  const { line } = await startAndHear(launch("sh", "-c", "true & echo $!; exec sleep 60"));
  const child = Number(line);
  await waitFor(() => (door.isRunning(child) ? undefined : true), { timeoutMs: LIMIT_MS });

  expect(await door.hasMark(child, VARIABLE, mark())).toBe(false);
});

test("whoever looks is not found, whatever its own mark", async () => {
  const entry = `const { findMarked, hasMark } = await import(${JSON.stringify(path.join(import.meta.dirname, "process.ts"))});
    const found = await findMarked("${VARIABLE}", "${mark()}");
    console.log(JSON.stringify([found.some(({ pid }) => pid === process.pid), await hasMark(process.pid, "${VARIABLE}", "${mark()}")]));`;

  const { stdout } = await door.runProgram(launch(NODE, "--input-type=module", "-e", entry), {
    timeoutMs: LIMIT_MS,
  });

  expect(JSON.parse(stdout)).toEqual([false, true]);
});

test("a beginning finds all, an exact mark ends its own alone", async () => {
  const [own, longer, other] = await Promise.all([
    startWith({}),
    startWith({ [VARIABLE]: `${mark()}.web` }),
    startWith({ [VARIABLE]: `${mark()}x` }),
  ]);

  const found = await door.findMarked(VARIABLE, mark());
  expect(new Set(found.map(({ pid }) => pid))).toEqual(new Set([own, longer, other]));

  await door.endMarked(VARIABLE, mark(), { graceMs: LIMIT_MS });
  expect([own, longer, other].map(door.isRunning)).toEqual([false, true, true]);

  for (const one of [`${mark()}.web`, `${mark()}x`])
    await door.endMarked(VARIABLE, one, { graceMs: LIMIT_MS });
  expect(await door.findMarked(VARIABLE, mark())).toEqual([]);
});

test("a program that starts others while it is being ended is ended with all of them", async () => {
  const script = `const { spawn } = require("node:child_process");
    const one = () => spawn("sleep", ["60"], { detached: true, stdio: "ignore" }).unref();
    process.on("SIGTERM", () => { for (let n = 0; n < 5; n += 1) one(); });
    setInterval(() => {}, 1000); one(); console.log("up");`;
  const { program } = await startAndHear(launch(NODE, "-e", script));

  await door.endMarked(VARIABLE, mark(), { graceMs: 300 });

  expect(await door.findMarked(VARIABLE, mark())).toEqual([]);
  expect(door.isRunning(program.pid)).toBe(false);
});

test("ending a mark that nobody bears is done at once, again and again", async () => {
  for (let round = 0; round < 3; round += 1)
    await door.endMarked(VARIABLE, `${mark()}.nobody`, { graceMs: LIMIT_MS });
  expect(await door.findMarked(VARIABLE, mark())).toEqual([]);
});

test.runIf(IS_ROOT)("root finds and ends what runs as another user", async () => {
  const { program } = await startAndHear({ ...launch(...SLEEPER), folder: "/", user: STRANGER });

  // While it becomes another program it has no environment.
  const isMarked = async (): Promise<true | undefined> =>
    (await door.hasMark(program.pid, VARIABLE, mark())) || undefined;
  expect(await waitFor(isMarked, { timeoutMs: LIMIT_MS })).toBe(true);
  expect(await door.findMarked(VARIABLE, mark())).toEqual([{ pid: program.pid, mark: mark() }]);
  await door.endMarked(VARIABLE, mark(), { graceMs: LIMIT_MS });

  expect(door.isRunning(program.pid)).toBe(false);
});

test.runIf(IS_ROOT)(
  "another user does not see a mark of root's, and fails at nothing",
  async () => {
    const pid = await startWith({});
    const script = path.join(folder(), "look.sh");
    await writeFile(script, `cat /proc/${pid}/environ || echo refused\n`);
    await chmod(script, 0o644);

    const { stdout } = await door.runProgram(
      { ...launch("sh", script), user: STRANGER },
      { timeoutMs: LIMIT_MS },
    );

    expect(stdout).toBe("refused\n");
  },
);

test.runIf(process.platform === "linux")(
  "a process has its mark also at the moments in which it becomes another program",
  async () => {
    const again = path.join(folder(), "again.sh");
    await writeFile(again, '[ "$1" = 0 ] || exec /bin/sh "$0" $(($1 - 1))');
    const { program } = await startAndHear(
      launch("sh", "-c", 'echo up; exec sh "$0" 100000', again),
    );
    const looks: boolean[] = [];
    for (let look = 0; look < 200; look += 1) {
      const marked = await door.findMarked(VARIABLE, mark());
      looks.push(marked.some(({ pid }) => pid === program.pid));
      looks.push(await door.hasMark(program.pid, VARIABLE, mark()));
    }
    expect(looks).not.toContain(false);
  },
);
