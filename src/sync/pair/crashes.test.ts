import { createHash } from "node:crypto";

import { expect, test } from "vitest";

import { type Inode, MemoryDisk } from "../../../test/sync/memory-disk.ts";
import { Problem } from "../../base/problem.ts";
import type { Entry } from "../core/tree.ts";
import { inStore, inTree } from "../disk/disk.ts";
import { TreeSide } from "../side/tree-side.ts";

const PAIR = "pair";
/** More than a whole batch makes. */
const MOST_CALLS = 2_000;

type Words = Readonly<Record<string, string>>;

const BEFORE: Words = { replaced: "1", removed: "2", run: "3", link: "->a", "folder/kept": "4" };
const AFTER: Words = {
  replaced: "one",
  run: "+x3",
  link: "->b",
  "folder/kept": "4",
  "new/file": "5",
};

class Crash extends Error {}

class Full extends Error {
  readonly code = "ENOSPC";
}

function entryOf(word: string): Entry {
  if (word.startsWith("->")) return { kind: "link", target: word.slice(2) };
  const text = word.replace(/^\+x/, "");
  const hash = createHash("sha256").update(text).digest("hex");
  return { kind: "file", hash, executable: word.startsWith("+x") };
}

type Fate = "it dies" | "the disk is full";

/** A disk that dies at the call of that number, counted from when it is armed, or has no room for it. */
class DyingDisk {
  readonly disk: MemoryDisk;
  readonly #fate: Fate;
  #calls = 0;
  #diesAt = Number.POSITIVE_INFINITY;

  constructor(exchanges: "yes" | "no", fate: Fate = "it dies", hasBulk = false) {
    this.#fate = fate;
    this.disk = new MemoryDisk({
      hasBulk,
      onCall: () => this.#beforeCall(),
      onEvent: () => undefined,
      now: () => this.#calls * 10_000,
      exchanges,
    });
    for (const [name, word] of Object.entries(BEFORE)) this.#put(name, word);
  }

  arm(call: number): void {
    this.#calls = 0;
    this.#diesAt = call;
  }

  /** The program is started again, and there is room. */
  mend(): void {
    this.#diesAt = Number.POSITIVE_INFINITY;
  }

  open(): TreeSide {
    return new TreeSide({
      disk: this.disk,
      clock: { now: () => this.#calls * 10_000 },
      hints: { take: () => [], follow: () => false, leave: () => undefined },
      pair: PAIR,
      store: "",
    });
  }

  /** Who is dead does nothing more; who found no room does. */
  #beforeCall(): void {
    this.#calls += 1;
    if (this.#fate === "it dies" && this.#calls >= this.#diesAt) throw new Crash();
    if (this.#fate === "the disk is full" && this.#calls === this.#diesAt) throw new Full();
  }

  #put(name: string, word: string): void {
    const inode = this.disk.make(word.startsWith("->") ? "link" : "file");
    this.disk.put(inTree(name), inode);
    this.disk.change(inode, word.replace(/^(->|\+x)/, ""));
  }
}

async function carryOut(side: TreeSide): Promise<void> {
  const names = ["replaced", "run", "link", "new/file"];
  const puts = names.map((path) => {
    const expected = BEFORE[path];
    return {
      path,
      entry: entryOf(AFTER[path] ?? ""),
      expected: expected === undefined ? undefined : entryOf(expected),
    };
  });
  const removals = [{ path: "removed", expected: entryOf("2") }];
  await side.apply(
    {
      removals,
      puts: [...puts, { path: "empty/", entry: { kind: "folder" }, expected: undefined }],
    },
    { read: (name) => [Buffer.from(AFTER[name] ?? "")] },
  );
  await side.commit();
}

/** False: it died, or said that there was no room. */
async function isEnded(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof Crash) return false;
    if (error instanceof Problem && error.code === "disk_full") return false;
    throw error;
  }
}

function wordAt(disk: MemoryDisk, name: string): string | undefined {
  const inode = disk.find(inTree(name));
  if (inode === undefined || inode.kind === "folder") return undefined;
  if (inode.kind === "link") return `->${inode.text}`;
  return `${inode.executable ? "+x" : ""}${inode.text}`;
}

function collect(inode: Inode | undefined): readonly string[] {
  const inner = [...(inode?.names.values() ?? [])].flatMap(collect);
  return inode === undefined || inode.kind === "folder" ? inner : [inode.text];
}

test.each([
  ["it dies", "yes"],
  ["it dies", "no"],
  ["the disk is full", "yes"],
  ["the disk is full", "no"],
] as const)(
  "wherever %s, each path is as it was or as it was to be, what stood there is kept, and nothing lies aside (exchange: %s)",
  async (fate, exchanges) => {
    let hasEnded = false;
    for (let call = 1; call < MOST_CALLS && !hasEnded; call += 1) {
      const dying = new DyingDisk(exchanges, fate);
      const side = dying.open();
      dying.arm(call);
      hasEnded = await isEnded(carryOut(side));
      dying.mend();
      const again = dying.open();
      const done = await again.recover();
      await again.commit();
      const { disk } = dying;
      for (const name of Object.keys({ ...BEFORE, ...AFTER })) {
        expect({ call, name, fault: findFault(disk, name, done) }).toEqual({ call, name });
      }
      const aside = ["staged", "intents"].flatMap((name) => collect(disk.find(inStore(name))));
      // An intent that is done with begins with a blank line.
      expect({ call, aside: aside.filter((text) => !text.startsWith("\n")) }).toEqual({
        call,
        aside: [],
      });
    }
    expect(hasEnded).toBe(true);
  },
);

test("where a power cut has torn the plan too, what lies aside is kept by the path where it stood", async () => {
  let hasEnded = false;
  for (let call = 1; call < MOST_CALLS && !hasEnded; call += 1) {
    const dying = new DyingDisk("yes");
    const side = dying.open();
    dying.arm(call);
    hasEnded = await isEnded(carryOut(side));
    dying.mend();
    const { disk } = dying;
    for (const inode of disk.find(inStore("intents"))?.names.values() ?? [])
      disk.change(inode, inode.text.slice(0, 20));
    await dying.open().recover();
    const times = [...(disk.find(inStore("trash"))?.names.values() ?? [])];
    const keptAt = (name: string): readonly string[] =>
      times.flatMap((time) => collect(time.names.get(name)));
    const gone = ["replaced", "removed", "run"].filter((name) => {
      const text = BEFORE[name] ?? "";
      return wordAt(disk, name) !== text && !keptAt(name).includes(text);
    });
    expect({ call, gone }).toEqual({ call, gone: [] });
    expect(keptAt("of unknown place")).toEqual([]);
  }
  expect(hasEnded).toBe(true);
});

test("a batch that a full disk cuts short before its first step keeps nothing of what it had made ready", async () => {
  const left: string[] = [];
  let tries = 0;
  for (let call = 1; call < MOST_CALLS; call += 1) {
    const dying = new DyingDisk("yes", "the disk is full");
    const side = dying.open();
    dying.arm(call);
    const isOver = await isEnded(carryOut(side));
    const isNoted = collect(dying.disk.find(inStore("intents"))).length > 0;
    if (isOver || isNoted) break;
    tries = call;
    left.push(...collect(dying.disk.find(inStore("staged"))));
  }
  expect(left).toEqual([]);
  expect(tries).toBeGreaterThan(10);
});

/** What is wrong with a path after a crash; undefined where nothing is. */
function findFault(
  disk: MemoryDisk,
  name: string,
  done: ReadonlyMap<string, unknown>,
): string | undefined {
  const word = wordAt(disk, name);
  if (done.has(name) && word !== AFTER[name]) return "it is not as it is said to be";
  if (word === BEFORE[name]) return undefined;
  if (word !== AFTER[name]) return "it is neither as it was nor as it was to be";
  const former = BEFORE[name]?.replace(/^(->|\+x)/, "");
  const kept = collect(disk.find(inStore("trash")));
  return former === undefined || kept.includes(former) ? undefined : "what stood there is gone";
}

/** More than one folder of what lies aside, and some at each crash. */
const MANY = 150;
const EVERY = 97;
const MANY_NAMES = Array.from({ length: MANY }, (_, index) => `d${index % 7}/f${index}`);

/** A side with many files, each of which holds its own name. */
function openMany(): TreeSide {
  const disk = new MemoryDisk({
    onCall: () => undefined,
    onEvent: () => undefined,
    now: () => 0,
    exchanges: "yes",
    hasBulk: true,
  });
  fillMany(disk, (name) => name);
  return new TreeSide({
    disk,
    clock: { now: () => 0 },
    hints: { take: () => [], follow: () => false, leave: () => undefined },
    pair: PAIR,
    store: "",
  });
}

function fillMany(disk: MemoryDisk, textOf: (name: string) => string): void {
  for (const name of MANY_NAMES) {
    const inode = disk.make("file");
    disk.put(inTree(name), inode);
    disk.change(inode, textOf(name));
  }
}

function textBefore(name: string): string {
  return `before ${name}`;
}

async function carryOutMany(
  side: TreeSide,
  expectedAt: (name: string) => Entry | undefined = () => undefined,
): Promise<void> {
  const puts = MANY_NAMES.map((path) => ({
    path,
    entry: entryOf(path),
    expected: expectedAt(path),
  }));
  await side.apply({ removals: [], puts }, openMany().contents);
  await side.commit();
}

test("wherever it dies among many new files, each is there or not, whole, and nothing lies aside", async () => {
  let hasEnded = false;
  for (let call = 1; !hasEnded && call < MOST_CALLS; call += EVERY) {
    const dying = new DyingDisk("yes", "it dies", true);
    const side = dying.open();
    dying.arm(call);
    hasEnded = await isEnded(carryOutMany(side));
    dying.mend();
    const again = dying.open();
    const done = await again.recover();
    await again.commit();
    const wrong = MANY_NAMES.filter((name) => {
      const word = wordAt(dying.disk, name);
      return word !== name && (word !== undefined || done.has(name) || hasEnded);
    });
    expect({ call, wrong }).toEqual({ call, wrong: [] });
    expect([...(dying.disk.find(inStore("staged"))?.names.keys() ?? [])]).toEqual([]);
  }
  expect(hasEnded).toBe(true);
});

test("wherever it dies among many files that cannot change places, none is gone from where it stood", async () => {
  let hasEnded = false;
  for (let call = 1; !hasEnded; call += EVERY) {
    const dying = new DyingDisk("no", "it dies", true);
    fillMany(dying.disk, textBefore);
    const side = dying.open();
    dying.arm(call);
    hasEnded = await isEnded(carryOutMany(side, (name) => entryOf(textBefore(name))));
    dying.mend();
    const again = dying.open();
    await again.recover();
    await again.commit();
    const wrong = MANY_NAMES.filter((name) => {
      const word = wordAt(dying.disk, name);
      return word !== name && (word !== textBefore(name) || hasEnded);
    });
    expect({ call, wrong }).toEqual({ call, wrong: [] });
  }
});

test("after a crash nobody who writes on is overwritten: his bytes stand where he put them", async () => {
  for (let call = 1; call < MOST_CALLS; call += 1) {
    const dying = new DyingDisk("yes");
    const side = dying.open();
    dying.arm(call);
    const hasEnded = await isEnded(carryOut(side));
    dying.mend();
    const inode = dying.disk.make("file");
    dying.disk.put(inTree("replaced"), inode);
    dying.disk.change(inode, "mine");
    const again = dying.open();
    await again.recover();
    await again.commit();
    expect({ call, word: wordAt(dying.disk, "replaced") }).toEqual({ call, word: "mine" });
    if (hasEnded) return;
  }
  throw new Error("It never came to its end.");
});
