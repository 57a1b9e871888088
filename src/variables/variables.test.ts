import { readdir, readFile } from "node:fs/promises";

import { afterEach, beforeEach, expect, test } from "vitest";

import { codeOf } from "../../test/problems.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { type Stores, openStores } from "./test-stores.ts";
import {
  deleteVariables,
  importVariables,
  listVariables,
  openVariables,
  setVariables,
  type VariableStore,
} from "./variables.ts";

let stores: Stores;
beforeEach(async () => {
  stores = await openStores();
});
afterEach(async () => stores.close());

const plain = { secret: false };
const secret = { secret: true };

test("what is set is listed by name and opened; a secret is opened only", async () => {
  const store = stores.of("one");
  await setVariables(
    store,
    [
      { name: "B", value: '2\n="é' },
      { name: "A", value: "" },
    ],
    plain,
  );
  expect(await setVariables(store, [{ name: "KEY", value: "sk" }], secret)).toEqual([
    { name: "KEY", secret: true, value: null },
  ]);

  expect(await listVariables(store)).toEqual([
    { name: "A", secret: false, value: "" },
    { name: "B", secret: false, value: '2\n="é' },
    { name: "KEY", secret: true, value: null },
  ]);
  expect(await openVariables(store)).toEqual({ A: "", B: '2\n="é', KEY: "sk" });
});

test("an environment without a file has no variables and gets no keys", async () => {
  expect(await openVariables(stores.of("none"))).toEqual({});
  await setVariables(stores.of("none"), [{ name: "A", value: "1" }], plain);
  expect(await readdir(stores.folder)).toEqual(["none.json"]);
});

test.each([
  ["", "variable_name_invalid"],
  ["1A", "variable_name_invalid"],
  ["A-B", "variable_name_invalid"],
  ["A=B", "variable_name_invalid"],
  ["A\n", "variable_name_invalid"],
  ["É", "variable_name_invalid"],
  ["A".repeat(257), "variable_name_invalid"],
  ["PORT", "variable_reserved"],
  ["DATABASE_URL", "variable_reserved"],
  ["RAMET_APP", "variable_reserved"],
  ["__proto__", "variable_reserved"],
  ["A".repeat(256), "no problem"],
  ["PATH", "no problem"],
  ["constructor", "no problem"],
])("the name %j is answered with %s", async (name, code) => {
  expect(await codeOf(setVariables(stores.of("names"), [{ name, value: "1" }], plain))).toBe(code);
});

test.each([
  ["a NUL", "a\0b", "variable_value_invalid"],
  ["half a character", "\ud800", "variable_value_invalid"],
  ["more than 64 KiB", "é".repeat(32 * 1024 + 1), "variable_value_invalid"],
  ["64 KiB", "x".repeat(64 * 1024), "no problem"],
])("a value with %s is answered with the right code", async (_what, value, code) => {
  expect(await codeOf(setVariables(stores.of("values"), [{ name: "A", value }], plain))).toBe(code);
});

test("one bad name among many sets none", async () => {
  const store = stores.of("all-or-none");
  const variables = [
    { name: "GOOD", value: "1" },
    { name: "not good", value: "2" },
  ];
  expect(await codeOf(setVariables(store, variables, plain))).toBe("variable_name_invalid");
  expect(await listVariables(store)).toEqual([]);
});

test("more than a process can be given is refused, and what was there stays", async () => {
  const store = stores.of("large");
  const value = "x".repeat(60 * 1024);
  const many = Array.from({ length: 18 }, (_, index) => ({ name: `V${index}`, value }));
  await setVariables(store, [{ name: "FIRST", value: "1" }], plain);
  expect(await codeOf(setVariables(store, many, plain))).toBe("variables_too_large");
  expect(await openVariables(store)).toEqual({ FIRST: "1" });
});

test("sets at the same time lose nothing", async () => {
  const store = stores.of("busy");
  const names = Array.from({ length: 40 }, (_, index) => `V${index}`);
  await Promise.all(
    names.map((name, index) =>
      setVariables(store, [{ name, value: name }], { secret: index % 2 === 0 }),
    ),
  );
  expect(Object.keys(await openVariables(store)).toSorted()).toEqual(names.toSorted());
});

test("a broken store is said to be so without a word of it, and stays", async () => {
  const store = stores.of("broken");
  for (const text of [
    '{"version":1,"variables":[{"kind":"value","name":"A","value":"hush',
    "[]",
    '{"version":2}',
  ]) {
    await writeAtomically(store.file, text);
    expect(await codeOf(setVariables(store, [{ name: "B", value: "1" }], plain))).toBe(
      "variables_unreadable",
    );
    await expect(listVariables(store)).rejects.not.toThrow("hush");
    expect(await readFile(store.file, "utf8")).toBe(text);
  }
});

test("a secret stays one, whatever is set under its name, until it is deleted", async () => {
  const store = stores.of("stays");
  await setVariables(store, [{ name: "KEY", value: "one" }], secret);
  await setVariables(store, [{ name: "KEY", value: "two-in-the-open" }], plain);
  expect(await listVariables(store)).toEqual([{ name: "KEY", secret: true, value: null }]);
  expect(await readFile(store.file, "utf8")).not.toContain("two-in-the-open");
  expect(await openVariables(store)).toEqual({ KEY: "two-in-the-open" });

  await deleteVariables(store, ["KEY"], { ignoreMissing: false });
  expect(await setVariables(store, [{ name: "KEY", value: "3" }], plain)).toEqual([
    { name: "KEY", secret: false, value: "3" },
  ]);
});

test("deleting a name that is not set is a problem that deletes nothing, unless it may be missing", async () => {
  const store = stores.of("delete");
  await setVariables(
    store,
    ["A", "B", "C"].map((name) => ({ name, value: "1" })),
    plain,
  );
  expect(await codeOf(deleteVariables(store, ["A", "X"], { ignoreMissing: false }))).toBe(
    "variable_unknown",
  );
  expect(await deleteVariables(store, ["A", "X"], { ignoreMissing: true })).toEqual(["A"]);
  expect(await deleteVariables(store, null, { ignoreMissing: false })).toEqual(["B", "C"]);
  expect(await listVariables(store)).toEqual([]);
});

async function openSource(): Promise<VariableStore> {
  const source = stores.of("source", "s");
  await setVariables(
    source,
    [
      { name: "A", value: "1" },
      { name: "B", value: "2" },
      { name: "LATER", value: null },
    ],
    plain,
  );
  await setVariables(source, [{ name: "KEY", value: "sk_source" }], secret);
  return source;
}

test("an import brings values but no secret's", async () => {
  const store = stores.of("target", "t");
  const from = { store: await openSource() };
  const answer = await importVariables(store, from, { names: null, includeValues: true });

  expect(answer.imported).toEqual([
    { name: "A", secret: false, value: "1" },
    { name: "B", secret: false, value: "2" },
    { name: "LATER", secret: false, value: null },
  ]);
  expect(answer.skipped).toEqual(["KEY"]);
  expect(await openVariables(store)).toEqual({ A: "1", B: "2" });
  expect(await readFile(store.file, "utf8")).not.toContain("KEY");
  const named = await importVariables(store, from, { names: ["KEY"], includeValues: true });
  expect(named).toEqual({ imported: [], skipped: ["KEY"] });
});

test("an import without values makes placeholders, and overwrites no value that is there", async () => {
  const store = stores.of("target", "t");
  await setVariables(store, [{ name: "A", value: "mine" }], plain);
  const { imported } = await importVariables(
    store,
    { store: await openSource() },
    { names: null, includeValues: false },
  );

  expect(imported.map(({ name }) => name)).toEqual(["B", "LATER"]);
  expect(await listVariables(store)).toEqual([
    { name: "A", secret: false, value: "mine" },
    { name: "B", secret: false, value: null },
    { name: "LATER", secret: false, value: null },
  ]);
  expect(await openVariables(store)).toEqual({ A: "mine" });
});

test("a name that the source lacks changes nothing", async () => {
  const store = stores.of("target", "t");
  const options = { names: ["A", "NOT_THERE"], includeValues: true };
  expect(await codeOf(importVariables(store, { store: await openSource() }, options))).toBe(
    "variable_missing_in_source",
  );
  expect(await listVariables(store)).toEqual([]);
});

test("a file's lines are imported, without those that Ramet sets itself", async () => {
  const store = stores.of("target", "t");
  const values = { PORT: "3000", DATABASE_URL: "postgres://elsewhere", GREETING: "hi" };
  const answer = await importVariables(store, { values }, { names: null, includeValues: true });
  expect(answer).toEqual({
    imported: [{ name: "GREETING", secret: false, value: "hi" }],
    skipped: ["DATABASE_URL", "PORT"],
  });
  const named = importVariables(store, { values }, { names: ["PORT"], includeValues: true });
  expect(await codeOf(named)).toBe("variable_reserved");
  const hostile = importVariables(
    store,
    { values: { "A B": "1" } },
    { names: null, includeValues: true },
  );
  expect(await codeOf(hostile)).toBe("variable_name_invalid");
});

test("an imported value takes a secret's place sealed", async () => {
  const store = stores.of("target", "t");
  await setVariables(store, [{ name: "A", value: "sk" }], secret);
  await importVariables(
    store,
    { values: { A: "from-the-file" } },
    { names: null, includeValues: true },
  );
  expect(await openVariables(store)).toEqual({ A: "from-the-file" });
  expect(await readFile(store.file, "utf8")).not.toContain("from-the-file");
});
