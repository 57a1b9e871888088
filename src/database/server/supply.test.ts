import { chmod, mkdir, rename, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { removeInside } from "../../base/remove-inside.ts";
import type { DatabaseRecord } from "../../environment/environment.ts";
import { supplyPostgres } from "../database.ts";
import type { PostgresSupply } from "../database.ts";
import { IS_ROOT, createTestFolder, failureOf } from "../test-home.ts";

let root = "";

beforeAll(async () => {
  root = await createTestFolder();
});

afterAll(async () => removeInside(os.tmpdir(), root));

function supply(bin: string | null = null): PostgresSupply {
  const [folder, templates] = [path.join(root, "bin"), path.join(root, "templates")];
  return supplyPostgres({ folder, templates, uid: null, bin });
}

/** A folder of programs that say which version they are, and do nothing else. */
async function writePrograms(name: string, version: string, initdb = version): Promise<string> {
  const bin = path.join(root, name);
  await mkdir(bin);
  await writeProgram(path.join(bin, "postgres"), `postgres (PostgreSQL) ${version}`);
  await writeProgram(path.join(bin, "initdb"), `initdb (PostgreSQL) ${initdb}`);
  return bin;
}

async function writeProgram(file: string, says: string): Promise<void> {
  await writeFile(file, `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 });
}

function made(version: string, bin: string | null): Parameters<PostgresSupply["forRecord"]>[0] {
  return { postgres: { version, bin } };
}

test.each(["14.0", "15.18", "16.4 (Debian 16.4-1.pgdg120+1)", "17beta2", "18.1"])(
  "a user's PostgreSQL %s is one that databases can run on",
  async (version) => {
    const bin = await writePrograms(`v${version.slice(0, 4)}`, version);
    const programs = await supply().forRecord(made(version.slice(0, 2), bin));
    expect(programs).toMatchObject({ bin, version: version.split(" ")[0], origin: "user" });
    expect(programs.major).toBe(Number(version.slice(0, 2)));
  },
);

test("a folder that holds no PostgreSQL of ours to use is a problem that says why", async () => {
  const old = await writePrograms("old", "13.22");
  const mixed = await writePrograms("mixed", "16.4", "15.18");
  const odd = await writePrograms("odd", "");
  const half = path.join(root, "half");
  await mkdir(half);
  await writeProgram(path.join(half, "postgres"), "postgres (PostgreSQL) 16.4");
  const cases = [
    [old, /it is PostgreSQL 13\.22/],
    [mixed, /its initdb is another one's/],
    [odd, /its postgres says/],
    [half, /initdb was not found/],
    [path.join(root, "nowhere"), /postgres was not found/],
    ["bin", /no absolute path/],
  ] as const;
  for (const [bin, reason] of cases) {
    const failure = await failureOf(supply().forNew(bin));
    expect(failure).toMatchObject({
      code: "postgres_unusable",
      remedy: expect.stringContaining("RAMET_POSTGRES_BIN"),
    });
    expect(failure).toMatchObject({ message: expect.stringMatching(reason) });
  }
});

test.runIf(IS_ROOT)("programs that other users may not run are a problem for root", async () => {
  const bin = await writePrograms("closed", "16.4");
  await chmod(bin, 0o700);
  expect(await failureOf(supply().forNew(bin))).toMatchObject({ code: "postgres_unusable" });
  await chmod(bin, 0o755);
  expect(await supply().forRecord(made("16.4", bin))).toMatchObject({ version: "16.4" });
});

test("a database keeps its PostgreSQL through its updates, and is lost with none of them", async () => {
  const bin = await writePrograms("updated", "16.4");
  const known = supply();
  expect(await known.forRecord(made("16.4", bin))).toMatchObject({ version: "16.4" });
  await rename(bin, path.join(root, "before"));
  await writePrograms("updated", "16.10");
  expect(await known.forRecord(made("16.4", bin))).toMatchObject({ version: "16.10" });

  await rename(bin, path.join(root, "updated-once"));
  await writePrograms("updated", "17.1");
  expect(await failureOf(known.forRecord(made("16.4", bin)))).toMatchObject({
    code: "postgres_gone",
    message: expect.stringContaining("PostgreSQL 17.1"),
    remedy: expect.stringContaining("Nothing of it is lost. Install PostgreSQL 16"),
  });
});

test("programs that moved are found where RAMET_POSTGRES_BIN says, if they are of that version", async () => {
  const moved = await writePrograms("moved", "16.4");
  const other = await writePrograms("other", "15.4");
  const before = made("16.2", path.join(root, "was-here"));
  expect(await supply(moved).forRecord(before)).toMatchObject({ bin: moved });
  expect(await failureOf(supply(other).forRecord(before))).toMatchObject({ code: "postgres_gone" });
});

test("what was made by Ramet's own runs on that, whatever the variable says", async () => {
  const bin = await writePrograms("users18", "18.1");
  expect(await supply(bin).forRecord(made("18.4.0-beta.17", null))).toMatchObject({
    origin: "ramet",
    major: 18,
  });
});

test("Ramet's own of an earlier major version is used as long as it is installed", async () => {
  const gone = made("12.3.0", null);
  expect(await failureOf(supply().forRecord(gone))).toMatchObject({ code: "postgres_gone" });
  const earlier = path.join(root, "bin", "12.4.0", "bin");
  await mkdir(path.dirname(earlier), { recursive: true });
  await symlink(path.join(root, "bin"), earlier);
  expect(await supply().forRecord(gone)).toMatchObject({ bin: earlier, version: "12.4.0" });
});

test("which PostgreSQL there is, is said: for new databases, and for those that there are", async () => {
  const bin = await writePrograms("described", "16.4");
  const gone = path.join(root, "not-there");
  const records = [
    record("16.3", bin),
    record("16.3", bin),
    record("15.1", gone),
    record("18.4.0", null),
  ];
  expect(await supply(bin).describe(records)).toBe(
    [
      `new databases: 16.4, in ${bin}`,
      `2 made by 16.3, in ${bin}`,
      `1 made by 15.1, in ${gone}, which is gone`,
      "1 made by 18.4.0, Ramet's own",
    ].join("; "),
  );
  expect(await supply(gone).describe([])).toMatch(
    /^new databases: The PostgreSQL in .* cannot be used/,
  );
  expect(await supply().describe([])).toMatch(/^new databases: 18\.\S+, Ramet's own$/);
});

function record(version: string, bin: string | null): DatabaseRecord {
  return { name: "shop", appPassword: "a", adminPassword: "b", ...made(version, bin) };
}
