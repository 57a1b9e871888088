import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { allDone } from "./all-done.ts";
import { canReflink } from "./can-reflink.ts";
import { pause, sleep, waitFor } from "./clock.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { findNearest } from "./nearest.ts";
import { hasErrorCode, Problem } from "./problem.ts";
import { exists, removeInside } from "./remove-inside.ts";
import { UndoStack } from "./undo-stack.ts";
import { stageFile, writeAtomically } from "./write-atomically.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-base-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

test("an undo stack takes back in reverse order, and goes on past a step that fails", async () => {
  const undone: number[] = [];
  const stack = new UndoStack();
  stack.push(() => void undone.push(1));
  stack.push(() => {
    throw new Error("second");
  });
  stack.push(async () => void undone.push(3));

  await expect(stack.undo()).rejects.toThrow(AggregateError);
  expect(undone).toEqual([3, 1]);
});

test("an undo stack that was kept takes nothing back", async () => {
  const stack = new UndoStack();
  stack.push(() => expect.unreachable());
  stack.keep();
  await stack.undo();
});

test("a file is replaced whole, with the mode asked for, and no temporary file stays", async () => {
  const file = path.join(folder, "record.json");
  await writeAtomically(file, "old");
  await writeAtomically(file, "new", { mode: 0o640 });

  expect(await readFile(file, "utf8")).toBe("new");
  expect(await readdir(folder)).toEqual(["record.json"]);
});

test("a staged file is as it was until it is placed, and one that cannot be placed leaves nothing", async () => {
  const file = path.join(folder, "record.json");
  await writeAtomically(file, "old");
  const staged = await stageFile(file, "new", { mode: 0o644 });
  expect(await readFile(file, "utf8")).toBe("old");
  await staged.place();
  await staged.settle();
  expect(await readFile(file, "utf8")).toBe("new");

  const other = await stageFile(path.join(folder, "taken"), "bytes");
  await mkdir(path.join(folder, "taken", "inside"), { recursive: true });
  await expect(other.place()).rejects.toThrow();
  expect((await readdir(folder)).toSorted()).toEqual(["record.json", "taken"]);
});

test("all are waited for when one fails, and the failure is told", async () => {
  const done: string[] = [];
  const late = sleep(20).then(() => void done.push("late"));
  await expect(allDone([Promise.reject(new Error("early")), late])).rejects.toThrow("early");
  expect(done).toEqual(["late"]);
  expect(await allDone([Promise.resolve(1), Promise.resolve("two")])).toEqual([1, "two"]);
});

test("a file that cannot be put in place leaves no temporary file", async () => {
  const file = path.join(folder, "taken");
  await mkdir(path.join(file, "inside"), { recursive: true });

  await expect(writeAtomically(file, "bytes")).rejects.toThrow();
  expect(await readdir(folder)).toEqual(["taken"]);
});

test("readers of a file that is replaced again and again never see half of it", async () => {
  const file = path.join(folder, "record.json");
  const texts = ["a", "b"].map((letter) => letter.repeat(200_000));
  await writeAtomically(file, texts[0] ?? "");
  const writing = (async () => {
    for (let round = 0; round < 20; round += 1) await writeAtomically(file, texts[round % 2] ?? "");
  })();
  for (let round = 0; round < 50; round += 1) expect(texts).toContain(await readFile(file, "utf8"));
  await writing;
});

test("a tree inside the root is removed, and a link in it is not followed", async () => {
  const kept = path.join(folder, "kept");
  const root = path.join(folder, "root");
  await mkdir(path.join(root, "tree"), { recursive: true });
  await mkdir(kept);
  await writeFile(path.join(kept, "work.txt"), "a person's work");
  await symlink(kept, path.join(root, "tree", "link"));

  await removeInside(root, path.join(root, "tree"));

  expect(await readdir(root)).toEqual([]);
  expect(await readdir(kept)).toEqual(["work.txt"]);
});

test.each(["", "..", "../kept", "link/../../kept"])(
  "removing %j, which is not inside the root, is refused",
  async (tree) => {
    const root = path.join(folder, "root");
    await mkdir(path.join(folder, "kept"));
    await mkdir(root);

    await expect(removeInside(root, path.join(root, tree))).rejects.toThrow(/Refused/);
    expect(await exists(path.join(folder, "kept"))).toBe(true);
  },
);

test("a tree that is reached through a link out of the root is not removed", async () => {
  const root = path.join(folder, "root");
  await mkdir(path.join(folder, "kept", "tree"), { recursive: true });
  await mkdir(root);
  await symlink(path.join(folder, "kept"), path.join(root, "link"));

  await expect(removeInside(root, path.join(root, "link", "tree"))).rejects.toThrow(/Refused/);
});

test("removing what is not there is no failure", async () => {
  await expect(removeInside(folder, path.join(folder, "nothing"))).resolves.toBeUndefined();
  await removeInside(folder, path.join(folder, "no", "such", "tree"));
});

test("a lock runs the work of one key in turn and of two keys side by side", async () => {
  const lock = new KeyedLock();
  const events: string[] = [];
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const first = lock.run("a", async () => {
    events.push("a1 begins");
    await gate;
    events.push("a1 ends");
  });
  const second = lock.run("a", async () => void events.push("a2"));
  const other = lock.run("b", async () => {
    events.push("b");
    open();
  });
  await Promise.all([first, second, other]);

  expect(events).toEqual(["a1 begins", "b", "a1 ends", "a2"]);
});

test("work that fails in a lock does not hold up the next", async () => {
  const lock = new KeyedLock();
  await expect(lock.run("a", async () => Promise.reject(new Error("first")))).rejects.toThrow(
    "first",
  );
  expect(await lock.run("a", async () => "second")).toBe("second");
});

test("waiting ends with the answer, with nothing at its limit, and with the signal's reason", async () => {
  let asked = 0;
  expect(
    await waitFor(() => (asked++ < 3 ? undefined : "there"), { timeoutMs: 5_000, everyMs: 1 }),
  ).toBe("there");
  expect(await waitFor(() => undefined, { timeoutMs: 5, everyMs: 1 })).toBeUndefined();
  const signal = AbortSignal.abort(new Error("stop"));
  await expect(waitFor(() => undefined, { timeoutMs: 60_000, signal })).rejects.toThrow();
  await expect(sleep(60_000, signal)).rejects.toThrow();
});

test("a pause ends by itself, or with its signal, and is no failure in either case", async () => {
  const over = new AbortController();
  const paused = pause(60_000, over.signal);
  over.abort(new Error("stop"));
  await expect(paused).resolves.toBeUndefined();
  await expect(pause(60_000, over.signal)).resolves.toBeUndefined();
  await expect(pause(1, new AbortController().signal)).resolves.toBeUndefined();
  await expect(pause(1, undefined)).resolves.toBeUndefined();
});

test.each([
  ["crate", ["create", "delete"], "create"],
  ["developmnet", ["development", "agent"], "development"],
  ["xyz", ["development", "agent"], undefined],
  ["", ["a"], "a"],
])("the nearest of %j is found or there is none", (word, candidates, nearest) => {
  expect(findNearest(word, candidates)).toBe(nearest);
});

test("a word is always nearest to itself", () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 30 }),
      fc.array(fc.string({ maxLength: 30 })),
      (word, others) => {
        expect(findNearest(word, [...others, word])).toBe(word);
      },
    ),
  );
});

test("a problem carries its three fields, and a system error its code", () => {
  const problem = new Problem({ code: "port_taken", message: "It is taken.", remedy: "Free it." });
  expect(problem.toFields()).toEqual({
    code: "port_taken",
    message: "It is taken.",
    remedy: "Free it.",
  });
  expect(
    hasErrorCode(Object.assign(new Error("no"), { code: "ENOENT" }), "ENOENT", "ENOTDIR"),
  ).toBe(true);
  expect(hasErrorCode(new Error("no"), "ENOENT")).toBe(false);
});

test("trying for a reflink answers and leaves nothing", async () => {
  expect(typeof (await canReflink(folder))).toBe("boolean");
  expect(await readdir(folder)).toEqual([]);
});
