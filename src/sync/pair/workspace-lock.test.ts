import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { codeOf } from "../../../test/sync/other-machine.ts";
import { claimKeeping, WorkspaceLock } from "./workspace-lock.ts";

let root: string;
let workspace: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-lock-")));
  workspace = path.join(root, "workspace");
  await mkdir(workspace);
});
afterEach(async () => rm(root, { recursive: true, force: true }));

test("whoever holds it works alone, and is told when another has worked in between", async () => {
  const [one, other] = [new WorkspaceLock(workspace), new WorkspaceLock(workspace)];
  const steps: string[] = [];
  const work = (name: string) => async (isUntouched: boolean) => {
    steps.push(`${name} begins${isUntouched ? "" : " anew"}`);
    await new Promise((resolve) => setImmediate(resolve));
    steps.push(`${name} ends`);
  };
  await one.run(work("one"));
  await one.run(work("one"));
  await Promise.all([other.run(work("other")), one.run(work("one"))]);
  expect(steps).toEqual([
    "one begins anew",
    "one ends",
    "one begins",
    "one ends",
    "other begins anew",
    "other ends",
    "one begins anew",
    "one ends",
  ]);
});

test("one program alone keeps a workspace the same as others, until it releases it", async () => {
  const claim = claimKeeping(workspace);
  expect(await codeOf(Promise.try(() => claimKeeping(workspace)))).toBe("dev_running");
  await new WorkspaceLock(workspace).run(async () => undefined);
  claim.release();
  claimKeeping(workspace).release();
});

test("a holder that is killed holds it no more", async () => {
  const module = path.join(import.meta.dirname, "workspace-lock.ts");
  const program = [
    `import { claimKeeping } from ${JSON.stringify(module)};`,
    `claimKeeping(${JSON.stringify(workspace)});`,
    'console.log("held"); setInterval(() => undefined, 1_000);',
  ].join("\n");
  const holder = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  expect(await codeOf(Promise.try(() => claimKeeping(workspace)))).toBe("dev_running");
  holder.kill("SIGKILL");
  await once(holder, "exit");
  claimKeeping(workspace).release();
});

test("a workspace in which nothing may be written is said to be, by whoever it keeps out", async () => {
  await chmod(workspace, 0o500);
  const codes = [
    await codeOf(Promise.try(() => claimKeeping(workspace).release())),
    await codeOf(new WorkspaceLock(workspace).run(async () => undefined)),
  ];
  await chmod(workspace, 0o700);
  const isRoot = process.getuid?.() === 0;
  expect(codes).toEqual(isRoot ? ["done", "done"] : ["folder_closed", "folder_closed"]);
});

test("its file is the owner's alone, and no link leads it elsewhere", async () => {
  claimKeeping(workspace).release();
  const { uid, mode } = await stat(path.join(workspace, ".ramet", "dev.lock"));
  expect([uid, mode & 0o777]).toEqual([(await stat(workspace)).uid, 0o600]);
  await rm(path.join(workspace, ".ramet"), { recursive: true });
  const outside = path.join(root, "outside");
  await mkdir(outside);
  await symlink(outside, path.join(workspace, ".ramet"));
  expect(await codeOf(Promise.try(() => claimKeeping(workspace)))).toBe("sync_blocked");
  await rm(path.join(workspace, ".ramet"));
  await mkdir(path.join(workspace, ".ramet"));
  await symlink(path.join(outside, "made"), path.join(workspace, ".ramet", "dev.lock"));
  expect(() => claimKeeping(workspace)).toThrow("ELOOP");
  await expect(readFile(path.join(outside, "made"))).rejects.toThrow("ENOENT");
});
