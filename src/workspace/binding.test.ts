import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { Problem } from "../base/problem.ts";
import { exists } from "../base/remove-inside.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { type Binding, readBinding } from "./binding.ts";
import { excludeBinding } from "./exclude.ts";
import { parseGitConfig } from "./git-config.ts";
import { bindWorkspace, findWorkspace, unbindWorkspace } from "./workspace.ts";

const BINDING: Binding = { app: "shop", environment: "agent", id: "abcdefghijklmnop", home: "/h" };

const ROUNDS = 120;
const MOST_LOOKS = 6;

let root = "";

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-binding-")));
});
afterEach(async () => rm(root, { recursive: true, force: true }));

async function write(text: string): Promise<void> {
  await mkdir(path.join(root, ".ramet"), { recursive: true });
  await writeAtomically(path.join(root, ".ramet", "environment.json"), text);
}

async function read(): Promise<Binding | null | string> {
  try {
    return (await findWorkspace(root)).binding;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

test("what is bound is read back, and others than its writer may read it", async () => {
  await bindWorkspace(root, BINDING);
  expect(await read()).toEqual(BINDING);
  expect((await stat(path.join(root, ".ramet", "environment.json"))).mode & 0o777).toBe(0o644);
  await bindWorkspace(root, { ...BINDING, environment: "other" });
  expect(await read()).toMatchObject({ environment: "other" });
});

test("a binding that is removed while it is read is whole or none", async () => {
  await bindWorkspace(root, BINDING);
  const file = path.join(root, ".ramet", "environment.json");
  const text = await readFile(file, "utf8");
  for (let round = 0; round < ROUNDS; round += 1) {
    await write(text);
    const reading = readBinding(root);
    // Reading takes a few looks at the disk; the removal comes after another of them in each round.
    for (let looks = round % MOST_LOOKS; looks > 0; looks -= 1) await lstat(root);
    await rm(file);
    expect([BINDING, null]).toContainEqual(await reading);
  }
});

test("whatever stands in the file, it is a binding or a problem", async () => {
  const key = fc.constantFrom("app", "environment", "id", "home", "x");
  const value = fc.oneof(fc.constantFrom("shop", "/h", "../x", "A--B", ""), fc.jsonValue());
  await fc.assert(
    fc.asyncProperty(fc.dictionary(key, value), async (object) => {
      await write(JSON.stringify(object));
      const found = await read();
      if (found === "binding_invalid") return true;
      const { app, environment, id, home } = Object(found);
      return [app, environment, id, home].every((part) => typeof part === "string");
    }),
    { numRuns: 60 },
  );
});

test("keys that a later version adds are no reason to refuse", async () => {
  await write(JSON.stringify({ ...BINDING, later: { of: "another version" } }));
  expect(await read()).toEqual(BINDING);
});

test.each([
  ["empty", ""],
  ["cut off", JSON.stringify(BINDING).slice(0, -1)],
  ["no object", JSON.stringify([BINDING])],
  ["larger than any binding", JSON.stringify({ ...BINDING, more: "x".repeat(20_000) })],
])("a file that is %s is a problem that says how to go on", async (_what, text) => {
  await write(text);
  await expect(findWorkspace(root)).rejects.toMatchObject({
    code: "binding_invalid",
    message: expect.stringContaining(path.join(root, ".ramet", "environment.json")),
    remedy: expect.stringContaining("ramet env use"),
  });
});

test("a folder where the file should be is a problem, and stays", async () => {
  const file = path.join(root, ".ramet", "environment.json");
  await mkdir(path.join(file, "inner"), { recursive: true });
  expect(await read()).toBe("binding_invalid");
  await expect(bindWorkspace(root, BINDING)).rejects.toMatchObject({ code: "binding_invalid" });
  await expect(unbindWorkspace(root)).rejects.toMatchObject({ code: "binding_invalid" });
  expect(await exists(path.join(file, "inner"))).toBe(true);
});

test("a .ramet that is a file, or a link to elsewhere, is never written through", async () => {
  const outside = path.join(root, "outside");
  await mkdir(outside);
  await mkdir(path.join(root, "linked"));
  await symlink(outside, path.join(root, "linked", ".ramet"));
  await expect(bindWorkspace(path.join(root, "linked"), BINDING)).rejects.toMatchObject({
    code: "binding_invalid",
  });
  expect(await exists(path.join(outside, "environment.json"))).toBe(false);
  await writeAtomically(path.join(root, ".ramet"), "a file");
  await expect(bindWorkspace(root, BINDING)).rejects.toMatchObject({ code: "binding_invalid" });
});

test("what else lies beside the binding outlives it", async () => {
  await bindWorkspace(root, BINDING);
  await mkdir(path.join(root, ".ramet", "displaced"));
  await unbindWorkspace(root);
  expect(await read()).toBeNull();
  expect(await exists(path.join(root, ".ramet", "displaced"))).toBe(true);
  await unbindWorkspace(root);
});

test.each([".ramet", ".ramet/", "/.ramet", "/.ramet/", "  .ramet/  "])(
  "an exclude file that has %j already stays as it is",
  async (line) => {
    await mkdir(path.join(root, "info"));
    const file = path.join(root, "info", "exclude");
    await writeAtomically(file, `*.swp\n${line}\n`);
    await excludeBinding(root);
    expect(await readFile(file, "utf8")).toBe(`*.swp\n${line}\n`);
  },
);

test.each(["*.swp", "*.swp\n", "", "# .ramet\n", "!.ramet\n"])(
  "to the exclude file %j one line is added, once",
  async (text) => {
    await mkdir(path.join(root, "info"));
    const file = path.join(root, "info", "exclude");
    await writeAtomically(file, text);
    await excludeBinding(root);
    await excludeBinding(root);
    const separator = text === "" || text.endsWith("\n") ? "" : "\n";
    expect(await readFile(file, "utf8")).toBe(`${text}${separator}.ramet/\n`);
  },
);

test(
  "a repository that may not be written to is bound all the same",
  { skip: process.getuid?.() === 0 },
  async () => {
    await mkdir(path.join(root, "info"));
    await writeAtomically(path.join(root, "info", "exclude"), "*.swp\n", { mode: 0o400 });
    await chmod(path.join(root, "info"), 0o500);
    await excludeBinding(root);
    expect(await readFile(path.join(root, "info", "exclude"), "utf8")).toBe("*.swp\n");
    await chmod(path.join(root, "info"), 0o700);
  },
);

test.each([
  ["[core]\n\tbare = true", { "core.bare": "true" }],
  ["[CORE]\n\tBare = TRUE", { "core.bare": "TRUE" }],
  ['[remote "Origin"]\nurl = x', { "remote.Origin.url": "x" }],
  ['[remote "a\\"b"]\nurl = x', { 'remote.a"b.url': "x" }],
  ["[a]\nb = c ; d", { "a.b": "c" }],
  ['[a]\nb = "c ; d"', { "a.b": "c ; d" }],
  ['[a]\nb = "  c  "  ', { "a.b": "  c  " }],
  ["[a]\nb = c\\\nd", { "a.b": "cd" }],
  ["[a]\r\nb = c\r\n", { "a.b": "c" }],
  ["[a] b = c", { "a.b": "c" }],
  ["[a]\nb\n[a]\nb = 2", { "a.b": "2" }],
  ["[a\nb = c", { ".b": "c" }],
  ["b = c", { ".b": "c" }],
  ["", {}],
])("the configuration %j is read as %j", (text, expected) => {
  expect(Object.fromEntries(parseGitConfig(text))).toEqual(expected);
});

test.skipIf(process.getuid?.() !== 0)(
  "a binding that root writes into a person's folder is that person's",
  async () => {
    await chown(root, 12_345, 12_346);
    await bindWorkspace(root, BINDING);
    for (const made of [".ramet", ".ramet/environment.json"]) {
      expect(await stat(path.join(root, made))).toMatchObject({ uid: 12_345, gid: 12_346 });
    }
  },
);
