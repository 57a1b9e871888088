import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, expect, test } from "vitest";

import { waitFor } from "../base/clock.ts";
import { IS_LINUX } from "./process-table.ts";
import { type ProcessUse, UseScan } from "./use-scan.ts";

const VARIABLE = "RAMET_TEST_MARK";
const mark = `use${randomBytes(4).toString("hex")}.one`;
let child: ReturnType<typeof spawn> | undefined;

afterEach(async () => {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, "SIGKILL");
  await once(child, "exit");
});

function start(command: string): void {
  const env = { ...process.env, [VARIABLE]: mark };
  child = spawn("/bin/sh", ["-c", command], { env, detached: true, stdio: "ignore" });
}

test("what marked processes take is seen, with those who threw their mark away", async ({
  skip,
}) => {
  if (!IS_LINUX) skip("There is no /proc.");
  const busy = `"const held = Buffer.alloc(100e6, 1); for (;;) held[0] += 1;"`;
  start(`env -i '${process.execPath}' -e ${busy} & wait`);
  const scan = new UseScan(VARIABLE, mark);
  const found = await waitFor(
    async () => {
      const [hog] = (await scan.take()).filter(({ memoryBytes }) => memoryBytes > 100e6);
      return hog !== undefined && hog.cpuMs > 50 ? hog : undefined;
    },
    { timeoutMs: 20_000 },
  );
  expect(found).toMatchObject({ mark, name: "node" });
  expect(found?.tasks).toBeGreaterThan(1);
  const after = (await scan.take()).find(({ id }) => id === found?.id);
  expect(after?.cpuMs).toBeGreaterThanOrEqual(found?.cpuMs ?? 0);
  expect(await new UseScan(VARIABLE, `${mark}.other`).take()).toEqual([]);
});

test("what a child has written is its parent's once it has ended", async ({ skip }) => {
  if (!IS_LINUX) skip("There is no /proc.");
  const folder = await mkdtemp(path.join(tmpdir(), "ramet-use-"));
  start(`head -c 5000000 /dev/zero > '${folder}/written'; exec sleep 60`);
  try {
    const scan = new UseScan(VARIABLE, mark);
    const find = async (): Promise<ProcessUse | undefined> =>
      (await scan.take()).find(({ name }) => name === "sleep");
    const use = await waitFor(find, { timeoutMs: 20_000 });
    expect(use?.writtenBytes).toBeGreaterThanOrEqual(5_000_000);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
