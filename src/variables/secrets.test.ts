import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";

import { codeOf } from "../../test/problems.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { type Stores, openStores } from "./test-stores.ts";
import { deleteVariables, openVariables, setVariables, type VariableStore } from "./variables.ts";

let stores: Stores;
beforeEach(async () => {
  stores = await openStores();
});
afterEach(async () => stores.close());

const plain = { secret: false };
const secret = { secret: true };

test("makers of keys at the same time end with one pair, readable by its owner alone", async () => {
  const makers = Array.from({ length: 8 }, (_, index) => stores.of(`maker-${index}`));
  await Promise.all(
    makers.map((store) => setVariables(store, [{ name: "KEY", value: store.file }], secret)),
  );

  for (const store of makers) expect(await openVariables(store)).toEqual({ KEY: store.file });
  const keys = path.join(stores.folder, "keys");
  expect(await readdir(keys)).toEqual(["secrets.json"]);
  expect((await stat(path.join(keys, "secrets.json"))).mode & 0o777).toBe(0o600);
  expect((await stat(keys)).mode & 0o777).toBe(0o700);
  expect((await stat(stores.of("maker-0").file)).mode & 0o777).toBe(0o600);
});

test("no secret's text is in the store, raw, as base64 or as hex; that of a plain value is", async () => {
  const store = stores.of("canaries");
  const canaries = Array.from({ length: 64 }, () => randomBytes(18).toString("base64url"));
  const variables = canaries.map((value, index) => ({ name: `S${index}`, value }));
  await setVariables(store, variables, secret);
  await setVariables(stores.of("copy", "b"), variables.slice(0, 1), plain);
  await setVariables(store, [{ name: "PLAIN", value: "canary-in-the-open" }], plain);
  await deleteVariables(store, ["S0"], { ignoreMissing: false });

  const text = await readFile(store.file, "utf8");
  for (const canary of canaries) {
    for (const form of formsOf(canary)) expect(text).not.toContain(form);
  }
  expect(text).toContain("canary-in-the-open");
  expect(await readFile(stores.of("copy", "b").file, "utf8")).toContain(canaries[0]);
  expect(Object.values(await openVariables(store))).toEqual([
    ...canaries.slice(1),
    "canary-in-the-open",
  ]);
});

/** base64 has three forms, by where the text begins in a group of three bytes. */
function formsOf(canary: string): string[] {
  const aligned = [0, 1, 2].map((shift) =>
    Buffer.from(canary.slice(shift, shift + 15)).toString("base64"),
  );
  return [canary, Buffer.from(canary).toString("hex"), ...aligned];
}

const sealedSchema = z.object({
  variables: z.array(z.object({ kind: z.string(), name: z.string(), sealed: z.string() })),
});

async function readSealed(
  store: VariableStore,
): Promise<z.infer<typeof sealedSchema>["variables"]> {
  return sealedSchema.parse(JSON.parse(await readFile(store.file, "utf8"))).variables;
}

async function plant(store: VariableStore, variables: readonly object[]): Promise<void> {
  await writeAtomically(store.file, JSON.stringify({ version: 1, variables }));
}

test("a sealed value opens in its own place alone", async () => {
  const store = stores.of("here", "a");
  await setVariables(
    store,
    [
      { name: "ONE", value: "1" },
      { name: "TWO", value: "2" },
    ],
    secret,
  );
  const [one, two] = await readSealed(store);
  const swapped = [
    { ...one, sealed: two?.sealed },
    { ...two, sealed: one?.sealed },
  ];

  await plant(stores.of("there", "b"), [one ?? {}]);
  expect(await codeOf(openVariables(stores.of("there", "b")))).toBe("secret_unreadable");
  await plant(store, swapped);
  expect(await codeOf(openVariables(store))).toBe("secret_unreadable");
  await plant(store, [one ?? {}, two ?? {}]);
  expect(await openVariables(store)).toEqual({ ONE: "1", TWO: "2" });
});

test("a sealed value that was cut, or had any one bit flipped, does not open", async () => {
  const store = stores.of("hurt");
  await setVariables(store, [{ name: "KEY", value: "sk_test" }], secret);
  const [sealed] = await readSealed(store);
  const bytes = Buffer.from(sealed?.sealed ?? "", "base64");
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), fc.boolean(), async (at, bit, cut) => {
      const hurt = Buffer.from(bytes);
      hurt[at] = (hurt[at] ?? 0) ^ (1 << bit);
      const planted = cut ? bytes.subarray(0, at) : hurt;
      await plant(store, [{ ...sealed, sealed: planted.toString("base64") }]);
      expect(await codeOf(openVariables(store))).toBe("secret_unreadable");
    }),
    { numRuns: 60 },
  );
});

test("without its key a secret is unreadable, and looking makes no new key", async () => {
  const store = stores.of("keyless");
  await setVariables(store, [{ name: "KEY", value: "sk" }], secret);
  await rm(store.keys, { recursive: true });
  expect(await codeOf(openVariables(store))).toBe("secret_unreadable");
  expect(await readdir(stores.folder)).toEqual(["keyless.json"]);
});

test("a damaged key file is said to be so, and stays", async () => {
  const store = stores.of("damaged-key");
  await mkdir(store.keys);
  const file = path.join(store.keys, "secrets.json");
  for (const text of ["{", "{}", '{"publicKey":"AAAA","privateKey":"AAAA"}']) {
    await writeAtomically(file, text);
    expect(await codeOf(setVariables(store, [{ name: "KEY", value: "sk" }], secret))).toBe(
      "secret_key_unreadable",
    );
    expect(await readFile(file, "utf8")).toBe(text);
  }
});
