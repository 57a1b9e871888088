import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

import { type Bounds, USUAL_BOUNDS, boundCommand, parseBounds } from "./bounds.ts";

const run = promisify(execFile);
const TIGHT: Bounds = { openFiles: 200, processes: 900, fileBytes: 10_000 };

/** The shells that stand in for /bin/sh on some system. */
const SHELLS = ["/bin/sh", "/bin/dash", "/bin/bash"].filter((shell) => existsSync(shell));

async function ask(shell: string, command: string, bounds: Bounds = TIGHT): Promise<string> {
  const args = shell === "/bin/bash" ? ["--posix"] : [];
  const { stdout } = await run(shell, [...args, ...boundCommand(command, bounds)]);
  return stdout.trim();
}

/** What the system says of the process that asks. */
async function readLimits(shell: string, bounds?: Bounds): Promise<ReadonlyMap<string, string>> {
  const text = await ask(shell, "cat /proc/self/limits", bounds);
  const lines = text.split("\n").slice(1);
  return new Map(lines.map((line) => [line.slice(0, 26).trim(), line.slice(26, 47).trim()]));
}

describe.skipIf(process.platform !== "linux").each(SHELLS)("by %s", (shell) => {
  test("a command runs with its bounds, and so does all that it starts", async () => {
    const limits = await readLimits(shell);
    expect(limits.get("Max open files")).toBe("200");
    expect(limits.get("Max processes")).toBe("900");
    // In whole blocks of 512 bytes.
    expect(limits.get("Max file size")).toBe("10240");
  });

  test("what is not bounded stays as it was", async () => {
    const before = await run("cat", ["/proc/self/limits"]);
    const unbound = await readLimits(shell, { openFiles: 300, processes: null, fileBytes: null });
    expect(unbound.get("Max open files")).toBe("300");
    expect(before.stdout).toContain(unbound.get("Max processes") ?? "?");
    expect(before.stdout).toContain(unbound.get("Max file size") ?? "?");
  });

  test("it weighs more than what keeps it when memory runs out", async () => {
    expect(await ask(shell, "cat /proc/self/oom_score_adj")).toBe("500");
  });

  test("its text is what the shell gets, whatever stands in it", async () => {
    const command = `printf '%s|' "a b" '$HOME' "it's" \\\\ "$0"; exit 0`;
    expect(await ask(shell, command)).toBe(`a b|$HOME|it's|\\|/bin/sh|`);
  });

  test("its exit code is its own", async () => {
    await expect(ask(shell, "exit 7")).rejects.toMatchObject({ code: 7 });
  });

  test("a bound that cannot be had keeps nothing from running, and says nothing", async () => {
    const tighter = boundCommand("echo runs", { ...TIGHT, openFiles: 1_000_000_000 });
    const { stdout, stderr } = await run(shell, [...tighter]);
    expect([stdout, stderr]).toEqual(["runs\n", ""]);
  });
});

test("a file that goes over its bound is refused, and those beside it are not", async () => {
  const command =
    'head -c 20000 /dev/zero | wc -c; head -c 20000 /dev/zero > "$F"; wc -c < "$F"; rm "$F"';
  const file = `/tmp/ramet-bounds-${process.pid}`;
  const text = await ask("/bin/sh", `F=${file}; ${command}`).catch((error: unknown) =>
    String(error),
  );
  const [through, written] = text.split("\n");
  expect(through?.trim()).toBe("20000");
  expect(Number(written)).toBeLessThanOrEqual(10_240);
});

test("what an older server says without them has none, and what is none is refused", () => {
  expect(parseBounds(undefined)).toEqual({});
  expect(parseBounds(TIGHT)).toEqual({ bounds: TIGHT });
  expect(parseBounds(USUAL_BOUNDS)).toEqual({ bounds: USUAL_BOUNDS });
  for (const broken of [null, 7, {}, { ...TIGHT, openFiles: "many" }, { ...TIGHT, processes: "x" }])
    expect(() => parseBounds(broken)).toThrow(/expected|bounds|openFiles|processes/i);
});
