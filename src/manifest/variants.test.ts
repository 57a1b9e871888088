import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { Problem } from "../base/problem.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { DEFAULT_GRANTS, NO_LIMITS } from "../environment/manifest.ts";
import type { Manifest } from "../environment/manifest.ts";
import { findManifest } from "./manifest.ts";
import { keysAt } from "./reading/schema.ts";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-variants-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function read(value: unknown): Promise<Manifest | undefined> {
  await writeAtomically(path.join(folder, "ramet.json"), JSON.stringify(value));
  return findManifest(folder);
}

async function problemOf(value: unknown): Promise<Problem | undefined> {
  try {
    await read(value);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

const web = (more: object): object => ({ processes: { web: { command: "x", ...more } } });

test.each<[database: unknown, expected: Manifest["database"]]>([
  [undefined, { migrate: null, seed: null, mask: null }],
  [false, null],
  [{}, { migrate: null, seed: null, mask: null }],
  [{ migrate: "m" }, { migrate: "m", seed: null, mask: null }],
  [
    { seed: "s", mask: "db/./mask.sql" },
    { migrate: null, seed: "s", mask: "db/mask.sql" },
  ],
])("the database %j is read as %j", async (database, expected) => {
  expect((await read({ database, processes: {} }))?.database).toEqual(expected);
});

test.each<[database: unknown, expected: Manifest["grants"]]>([
  [undefined, DEFAULT_GRANTS],
  [false, DEFAULT_GRANTS],
  [
    { limits: { connections: 20, statementTimeout: "30s", tempFileLimit: "2G" } },
    {
      limits: { connections: 20, statementTimeoutMs: 30_000, tempFileBytes: 2e9 },
      warm: 1,
      extensions: [],
    },
  ],
  [{ warm: 0 }, { ...DEFAULT_GRANTS, warm: 0 }],
  [
    { limits: {}, extensions: ["vector", "uuid-ossp", "vector"] },
    { ...DEFAULT_GRANTS, extensions: ["vector", "uuid-ossp"] },
  ],
])("the database %j is granted %j", async (database, expected) => {
  expect((await read({ database, processes: {} }))?.grants).toEqual(expected);
});

test.each([
  [{ limits: { connections: 0 } }, "database.limits.connections"],
  [{ warm: 9 }, "database.warm"],
  [{ warm: 0.5 }, "database.warm"],
  [{ limits: { connections: 101 } }, "database.limits.connections"],
  [{ limits: { statementTimeout: "30" } }, "a duration such as 30s"],
  [{ limits: { tempFileLimit: "2 apples" } }, "a size such as 512M"],
  [{ limits: { conections: 3 } }, 'database.limits has no key "conections"'],
  [{ extensions: ['a"b'] }, "the name of an extension"],
])("the database %j is refused", async (database, reason) => {
  expect((await problemOf({ database, processes: {} }))?.message).toContain(reason);
});

test.each<[variable: unknown, expected: Manifest["variables"][string]]>([
  ["", { value: "", secret: false, required: false }],
  ["$URL/x", { value: "$URL/x", secret: false, required: false }],
  [{}, { value: null, secret: false, required: false }],
  [
    { value: "v", required: true },
    { value: "v", secret: false, required: true },
  ],
  [
    { secret: true, required: true },
    { value: null, secret: true, required: true },
  ],
])("the variable %j is read as %j", async (variable, expected) => {
  expect((await read({ variables: { KEY: variable } }))?.variables).toEqual({ KEY: expected });
});

test.each<[process: object, expected: object]>([
  [{}, { port: true, ready: { kind: "port", timeoutMs: 60_000 }, folder: "." }],
  [{ port: false }, { port: false, ready: { kind: "none" } }],
  [{ port: 8080 }, { port: true, ready: { kind: "port", timeoutMs: 60_000 } }],
  [
    { port: true, ready: false },
    { port: true, ready: { kind: "none" } },
  ],
  [{ ready: {} }, { ready: { kind: "port", timeoutMs: 60_000 } }],
  [{ ready: { http: "/up?x=1" } }, { ready: { kind: "http", path: "/up?x=1", timeoutMs: 60_000 } }],
  [{ ready: { http: "/", timeout: 0.5 } }, { ready: { kind: "http", path: "/", timeoutMs: 500 } }],
  [{ reload: true }, { reloads: true }],
  [{ folder: "./" }, { folder: "." }],
])("the process %j is read as %j", async (process, expected) => {
  expect((await read(web(process)))?.processes["web"]).toMatchObject(expected);
});

test("a slip of the fingers is understood, in whichever case", async () => {
  expect((await problemOf({ PROCESSES: {} }))?.remedy).toContain('Did you mean "processes"?');
  expect((await problemOf({ databse: {} }))?.remedy).toContain('Did you mean "database"?');
  expect((await problemOf({ zzzzzz: {} }))?.remedy).not.toContain("Did you mean");
});

test("an unknown key is told with all keys of its place", async () => {
  const places: readonly [value: object, at: readonly PropertyKey[]][] = [
    [{ zzzzzz: 1 }, []],
    [web({ zzzzzz: 1 }), ["processes", "web"]],
    [web({ ready: { zzzzzz: 1 } }), ["processes", "web", "ready"]],
    [{ database: { zzzzzz: 1 } }, ["database"]],
    [{ variables: { A: { zzzzzz: 1 } } }, ["variables", "A"]],
    [{ files: { zzzzzz: 1 } }, ["files"]],
    [{ api: { zzzzzz: 1 } }, ["api"]],
    [{ limits: { zzzzzz: 1 } }, ["limits"]],
  ];
  for (const [value, at] of places) {
    const problem = await problemOf(value);
    expect(problem?.message).toContain('has no key "zzzzzz"');
    expect(problem?.remedy).toBe(`Its keys are ${keysAt(at).join(", ")}.`);
  }
});

test("several faults are told at once, and not without end", async () => {
  const problem = await problemOf({ app: 1, setup: 2, files: { clone: 3 } });
  expect(problem?.message).toMatch(/app: .*; setup: .*; files\.clone: /);
  const names = Array.from({ length: 50 }, (_, index) => [`K-${index}`, "x"]);
  const many = await problemOf({ variables: Object.fromEntries(names) });
  expect(many?.message.length).toBeLessThan(2000);
});

test("what this version does not act on yet is said, not silently dropped", async () => {
  const manifest = await read({
    services: { cache: { command: "redis-server" } },
    api: false,
    limits: { cpus: 1 },
    sleep: "15m",
    processes: { web: { command: "x" } },
  });
  expect(manifest?.unused).toEqual(["services", "api"]);
});

test("what its processes may take is read in bytes and numbers, and what is unsaid is left to the machine", async () => {
  const limits = { memory: "1.5G", cpus: 0.5, processes: 256, disk: "20 GB" };
  expect((await read({ limits }))?.limits).toEqual({
    memoryBytes: 1.5e9,
    cpus: 0.5,
    processes: 256,
    diskBytes: 20e9,
  });
  expect((await read({}))?.limits).toEqual(NO_LIMITS);
});

test.each([
  [{ memory: "plenty" }, "limits.memory: it must be a size such as 512M or 2G"],
  [{ memory: "1M" }, "limits.memory: it must be at least 64M"],
  [{ cpus: 0 }, "limits.cpus: too small"],
  [{ processes: 1 }, "limits.processes: too small"],
  [{ disk: "1K" }, "limits.disk: it must be at least 16M"],
  [{ cpu: 2 }, 'limits has no key "cpu"'],
])("limits %j are refused", async (limits, reason) => {
  expect((await problemOf({ limits }))?.message).toContain(reason);
});

test("setup is what is written, what is found, or none where it is false", async () => {
  await writeAtomically(
    path.join(folder, "package.json"),
    JSON.stringify({ scripts: { dev: "x" }, dependencies: { a: "1" } }),
  );
  expect((await read({}))?.setup).toBe("npm install");
  expect((await read({ setup: "make" }))?.setup).toBe("make");
  expect((await read({ setup: false }))?.setup).toBeNull();
  expect((await read({ processes: {} }))?.setup).toBeNull();
});

test("an app's name is lower-cased, and whatever else is read is as it is written", async () => {
  expect((await read({ app: "Shop" }))?.app).toBe("shop");
  expect((await read({ setup: "  A  B " }))?.setup).toBe("  A  B ");
});

test("whatever JSON stands in ramet.json, it is read or refused with a reason, never a mistake of ours", async () => {
  const key = fc.constantFrom("app", "processes", "database", "variables", "files", "setup", "x");
  await fc.assert(
    fc.asyncProperty(fc.dictionary(key, fc.jsonValue({ maxDepth: 3 })), async (value) => {
      const problem = await problemOf(value);
      if (problem === undefined) return true;
      return problem.code === "manifest_invalid" && problem.message.length < 4000;
    }),
    { numRuns: 150 },
  );
});
