import {
  access,
  constants,
  mkdir,
  readFile,
  readdir,
  readlink,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "../../base/clock.ts";
import { exists, removeInside } from "../../base/remove-inside.ts";
import { runProgram } from "../../process/process.ts";
import { supplyPostgres } from "../database.ts";
import type { Postgres } from "../database.ts";
import { IS_ROOT, createTestFolder } from "../test-home.ts";
import { buildAtomically, sweepTemporaries } from "./install.ts";
import { parseUsers, readTemplatePassword, sortLines } from "./template.ts";

const HOUR_MS = 60 * 60 * 1000;
let root = "";
let both: Postgres[] = [];

beforeAll(async () => {
  root = await createTestFolder();
  both = await Promise.all([install(), install()]);
});

afterAll(async () => removeInside(os.tmpdir(), root));

async function install(): Promise<Postgres> {
  const supply = supplyPostgres({
    folder: path.join(root, "home", "bin"),
    templates: path.join(root, "home", "templates"),
    uid: null,
    bin: null,
  });
  return supply.forNew();
}

function one(): Postgres {
  const [first] = both;
  if (first === undefined) throw new Error("It is installed.");
  return first;
}

function installed(): string {
  return path.dirname(one().programs.bin);
}

test("two that install at once agree, and leave nothing half done", async () => {
  expect(both[0]).toEqual(both[1]);
  expect(await readdir(path.join(root, "home", "bin"))).toEqual([one().programs.version]);
  expect(await readdir(path.join(root, "home", "templates"))).toHaveLength(1);
});

test("a second time changes nothing", async () => {
  const before = await stat(installed());
  expect(await install()).toEqual(one());
  expect((await stat(installed())).ctimeMs).toBe(before.ctimeMs);
});

test("every user may run the programs, which find their libraries", async () => {
  const { stdout } = await runProgram(
    {
      file: path.join(one().programs.bin, "postgres"),
      args: ["--version"],
      folder: "/",
      environment: {},
      user: IS_ROOT ? { uid: 700_123, gid: 700_123 } : null,
    },
    { timeoutMs: 10_000 },
  );
  expect(stdout).toMatch(/^postgres \(PostgreSQL\) 18\./);
});

test("programs and folders are open to all, and nothing is writable by others", async () => {
  for (const entry of await readdir(installed(), { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const { mode } = await stat(path.join(entry.parentPath, entry.name));
    expect(mode & 0o444).toBe(0o444);
    expect(mode & 0o022).toBe(0);
  }
});

test("the links that npm cannot pack are made, relative ones", async () => {
  const folder = path.join(installed(), "lib");
  const entries = await readdir(folder, { withFileTypes: true });
  const links = entries.filter((entry) => entry.isSymbolicLink());
  expect(links.length).toBeGreaterThan(process.platform === "linux" ? 5 : -1);
  for (const { name } of links) {
    expect(await readlink(path.join(folder, name))).not.toContain("/");
    await access(path.join(folder, name), constants.R_OK);
  }
});

test("the template is closed to others, and so is its password", async () => {
  const folder = path.dirname(one().template);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(path.join(folder, "password"))).mode & 0o777).toBe(0o600);
  expect(await readTemplatePassword(one().template)).toMatch(/^[\w-]{32}$/);
});

test("the template has small segments and no maps", async () => {
  const files = await readdir(one().template, { recursive: true });
  expect(files.filter((file) => /_(fsm|vm)$/.test(file))).toEqual([]);
  const segment = files.find((file) => /^pg_wal\/[0-9A-F]{24}$/.test(file)) ?? "";
  expect((await stat(path.join(one().template, segment))).size).toBe(1024 * 1024);
  expect(await exists(path.join(one().template, "postmaster.pid"))).toBe(false);
});

test("a builder that fails leaves nothing behind", async () => {
  const target = path.join(root, "failing");
  const build = buildAtomically(target, async (temporary) => {
    await writeFile(path.join(temporary, "half"), "");
    throw new Error("no space");
  });
  await expect(build).rejects.toThrow("no space");
  expect((await readdir(root)).filter((name) => name.startsWith("failing"))).toEqual([]);
});

test("the slower of two builders keeps the faster one's folder", async () => {
  const target = path.join(root, "raced");
  await buildAtomically(target, async (temporary) => {
    await mkdir(target);
    await writeFile(path.join(target, "who"), "faster");
    await writeFile(path.join(temporary, "who"), "slower");
  });
  expect(await readFile(path.join(target, "who"), "utf8")).toBe("faster");
});

test("what a killed builder left is swept after an hour, and not before", async () => {
  const folder = path.join(root, "sweep");
  for (const name of ["old.tmp", "fresh.tmp", "kept"])
    await mkdir(path.join(folder, name), { recursive: true });
  const old = new Date(systemClock.now() - 2 * HOUR_MS);
  for (const name of ["old.tmp", "kept"]) await utimes(path.join(folder, name), old, old);
  await sweepTemporaries(folder, systemClock);
  expect((await readdir(folder)).toSorted()).toEqual(["fresh.tmp", "kept"]);
});

test("users are read from a password file, whatever else stands in it", () => {
  const text =
    "root:x:0:0::/:/bin/sh\n# comment\n+::::::\nnobody:x:65534:65533:n:/:/x\nbad:x:a:1::\n";
  expect(parseUsers(text)).toEqual([
    { name: "root", uid: 0, gid: 0 },
    { name: "nobody", uid: 65534, gid: 65533 },
  ]);
});

test("of what a failing program printed the errors come first, and without any the rest counts", () => {
  const noise = "performing post-bootstrap initialization ...\n\n";
  const nobody = "initdb: could not look up effective user ID 12345: user does not exist";
  expect(
    sortLines(`${noise}2026-01-01 FATAL:  no space\ninitdb: error: it failed\n`).errors,
  ).toEqual(["2026-01-01 FATAL:  no space", "initdb: error: it failed"]);
  expect(sortLines(`${noise}${nobody}\n`)).toEqual({ errors: [], others: [noise.trim(), nobody] });
});
