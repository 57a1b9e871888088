import { mkdir, mkdtemp, realpath, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { waitFor } from "../base/clock.ts";
import { watchFolder } from "./runtime.ts";

let folder: string;
let seen: string[];
let watcher: { close(): void } | undefined;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-watch-")));
  seen = [];
});

afterEach(async () => {
  watcher?.close();
  await rm(folder, { recursive: true });
});

function begin(ignore: readonly string[] = []): void {
  watcher = watchFolder(folder, { ignore, onChange: (paths) => seen.push(...paths) });
}

async function write(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), "x");
  }
}

async function heard(name: string): Promise<string> {
  const found = await waitFor(() => seen.includes(name) || undefined, { timeoutMs: 20_000 });
  if (found === undefined) throw new Error(`Never heard of ${name}, but of ${seen.join(", ")}`);
  return name;
}

test("changes are told at any depth, and what is ignored is not", async () => {
  await write(
    "src/deep/a.ts",
    "node_modules/x/index.js",
    ".git/HEAD",
    "logs/web.log",
    "src/dist/out.js",
  );
  begin(["logs"]);

  await write(
    "node_modules/x/index.js",
    ".git/HEAD",
    "logs/web.log",
    "src/dist/out.js",
    "src/deep/a.ts",
  );
  await heard("src/deep/a.ts");

  expect(new Set(seen)).toEqual(new Set(["src/deep/a.ts"]));
});

test("what a program writes as it starts is no edit, or its restart would never end", async () => {
  await write("src/a.ts");
  begin();

  const written = [
    "tsconfig.build.tsbuildinfo",
    "data.db",
    "data.db-wal",
    "app.sqlite3",
    "web.log",
  ];
  await write(...written, "build/main.js", "out/main.js", "src/a.ts");
  await heard("src/a.ts");

  expect(new Set(seen)).toEqual(new Set(["src/a.ts"]));
});

test("folders that appear are watched, with those in them, also one that comes in the place of another", async () => {
  begin();
  await write("new/inner/a.ts");
  await heard("new");
  await waitFor(
    async () => {
      await write("new/inner/b.ts");
      return seen.includes("new/inner/b.ts") || undefined;
    },
    { timeoutMs: 20_000, everyMs: 50 },
  );
  await heard("new/inner/b.ts");

  await rename(path.join(folder, "new"), path.join(folder, "old"));
  await heard("old");
  await write("old/inner/c.ts");
  await heard("old/inner/c.ts");
  expect(seen).not.toContain("new/inner/c.ts");
});

test("a removed file and a removed folder are told", async () => {
  await write("src/a.ts", "lib/b.ts");
  begin();

  await rm(path.join(folder, "src/a.ts"));
  await rm(path.join(folder, "lib"), { recursive: true });

  await heard("src/a.ts");
  expect(await heard("lib")).toBe("lib");
});

test("many changes at a stroke are told together", async () => {
  let calls = 0;
  watcher = watchFolder(folder, {
    ignore: [],
    onChange: (paths) => {
      calls += 1;
      seen.push(...paths);
    },
  });
  const names = Array.from({ length: 200 }, (_, n) => `f${n}`);
  await Promise.all(names.map((name) => write(name)));
  for (const name of names) await heard(name);

  expect(calls).toBeLessThan(50);
});

test("nothing is told after closing", async () => {
  begin();
  await write("a");
  watcher?.close();
  const second: string[] = [];
  watcher = watchFolder(folder, { ignore: [], onChange: (paths) => second.push(...paths) });
  await write("b");
  await waitFor(() => second.includes("b") || undefined, { timeoutMs: 20_000 });

  expect(seen).toEqual([]);
});

test("a folder that is not there cannot be watched", () => {
  expect(() =>
    watchFolder(path.join(folder, "none"), { ignore: [], onChange: () => undefined }),
  ).toThrow("ENOENT");
});
