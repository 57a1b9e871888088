/** The whole engine on two disks in memory, while people write between any two of its steps, and it dies at any of them. */
import { Problem } from "../../src/base/problem.ts";
import { isSameTree } from "../../src/sync/core/compare.ts";
import { type Entry, listPaths } from "../../src/sync/core/tree.ts";
import { inStore, inTree, type Place } from "../../src/sync/disk/disk.ts";
import { Ancestor } from "../../src/sync/pair/ancestor.ts";
import { mergePair, type Merged } from "../../src/sync/pair/merge.ts";
import { Pair } from "../../src/sync/pair/pair.ts";
import { CopiesAhead } from "../../src/sync/side/copies-ahead.ts";
import { TreeSide } from "../../src/sync/side/tree-side.ts";
import { createRandom } from "../random.ts";
import { type Inode, MemoryDisk, type MemoryDiskOptions } from "./memory-disk.ts";
import { PATHS, People } from "./people.ts";

export type SimulationOptions = {
  readonly seed: number;
  readonly exchanges: MemoryDiskOptions["exchanges"];
  /** How likely it is that the engine dies at a system call. */
  readonly crashes: number;
  /** How likely it is that a system call fails. */
  readonly failures: number;
};

export type Outcome = {
  /** Texts that somebody wrote, that nobody overwrote or removed, and that are nowhere any more. */
  readonly lost: readonly string[];
  /** What is wrong with the end; empty where nothing is. */
  readonly faults: readonly string[];
  readonly writes: number;
  readonly crashes: number;
  readonly failures: number;
  /** System calls, of both sides: another order of things has another number of them. */
  readonly calls: number;
};

type Name = "local" | "remote";

const ROUNDS = 3;
/** By then it must have come to rest. */
const MOST_QUIET_ROUNDS = 12;
const ACTS = 0.25;
/** Of events that come at all. */
const TOLD = 0.8;
/** After the first merge. */
const LOOKS_AT_ALL = 0.4;
/** Before a merge, as if git were at work. */
const COPIES_AHEAD = 0.3;
const MS_PER_CALL = 40;
const MOST_TURNS = 4;
/** What a call fails with: of one path alone, or of the whole disk. */
const CODES = ["EIO", "EACCES", "ENOSPC"];

class Crash extends Error {}

class Failure extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`A call failed: ${code}.`);
    this.code = code;
  }
}

/** As it comes out of the engine: as it was, or explained. */
function isFailure(error: unknown): boolean {
  return error instanceof Failure || (error instanceof Problem && error.code === "disk_full");
}

async function findNone(): Promise<ReadonlySet<string>> {
  return new Set();
}

/** Runs one; the same seed runs the same. */
export async function simulate(options: SimulationOptions): Promise<Outcome> {
  return new Simulation(options).run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #random: () => number;
  readonly #disks: Readonly<Record<Name, MemoryDisk>>;
  readonly #hints = { local: new Set<string>(), remote: new Set<string>() };
  readonly #people: People;
  #ahead: CopiesAhead;
  #isQuiet = false;
  #isDead = false;
  #calls = 0;
  #crashes = 0;
  #failures = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = createRandom(options.seed);
    this.#disks = { local: this.#makeDisk("local"), remote: this.#makeDisk("remote") };
    this.#ahead = this.#makeAhead();
    this.#people = new People(this.#disks, { random: this.#random, now: () => this.#now() });
  }

  async run(): Promise<Outcome> {
    for (let round = 0; round < ROUNDS; round += 1) await this.#runSession();
    this.#isQuiet = true;
    this.#people.finish();
    const faults = await this.#comeToRest();
    const kept = this.#collect();
    const { written, discarded } = this.#people;
    const lost = [...written].filter((text) => !discarded.has(text) && !kept.has(text));
    return {
      lost,
      faults,
      writes: written.size,
      crashes: this.#crashes,
      failures: this.#failures,
      calls: this.#calls,
    };
  }

  /** From a start of the engine to its end: after a few merges, or in the midst of one. */
  async #runSession(): Promise<void> {
    this.#isDead = false;
    try {
      const pair = await this.#openPair();
      for (let count = 0; count < 3; count += 1) {
        if (this.#random() < COPIES_AHEAD) await this.#ahead.copy(PATHS, () => true);
        await this.#merge(pair, count === 0 || this.#random() < LOOKS_AT_ALL);
      }
    } catch (error) {
      if (error instanceof Crash) this.#crashes += 1;
      else if (!isFailure(error)) throw error;
    }
  }

  async #comeToRest(): Promise<readonly string[]> {
    this.#isDead = false;
    const pair = await this.#openPair();
    let [before, merged] = [this.#snapshot(), await this.#merge(pair, true)];
    for (let count = 0; count < MOST_QUIET_ROUNDS; count += 1) {
      for (const path of merged?.conflicts ?? [])
        if (before.has(path) && this.#textsAt(path) !== before.get(path))
          return [`conflict at ${path} was changed`];
      before = this.#snapshot();
      merged = await this.#merge(pair, true);
      // One side holds nothing at all: it stops and asks.
      if (merged === undefined) return [];
      if (merged.toLocal.length + merged.toRemote.length === 0) return this.#examine(pair, merged);
    }
    return ["it does not come to rest"];
  }

  #examine({ trees }: Pair, { conflicts, left }: Merged): readonly string[] {
    const excused = (path: string): boolean => conflicts.includes(path) || left.has(path);
    const differing = listPaths(trees.local, trees.remote).filter((path) => !excused(path));
    const same = (tree: ReadonlyMap<string, Entry>): ReadonlyMap<string, Entry> =>
      new Map(differing.flatMap((path) => [...tree].filter(([one]) => one === path)));
    const aside = (["local", "remote"] as const).flatMap((name) =>
      ["staged", "intents"].flatMap((folder) =>
        [...(this.#disks[name].find(inStore(folder))?.names ?? [])]
          // An intent that is done with begins with a blank line.
          .filter(([, { text }]) => folder === "staged" || !text.startsWith("\n"))
          .map(([one]) => one),
      ),
    );
    return [
      ...(isSameTree(same(trees.local), same(trees.remote)) ? [] : ["both sides differ"]),
      ...(left.size === 0 ? [] : [`left: ${[...left.keys()].join()}`]),
      ...aside.map((name) => `${name} lies aside`),
    ];
  }

  #merge(pair: Pair, isWhole: boolean): Promise<Merged | undefined> {
    return mergePair(pair, {
      scope: isWhole ? "all" : "hinted",
      prefer: null,
      mayRemoveMany: true,
      isAtRest: () => true,
    }).catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "sync_emptied")
        return undefined;
      throw error;
    });
  }

  async #openPair(): Promise<Pair> {
    const clock = { now: () => this.#now() };
    this.#ahead = this.#makeAhead();
    const ancestor = new Ancestor({
      disk: this.#disks.remote,
      folder: "ancestors",
      epoch: "1",
      clock,
      boot: "1",
    });
    return Pair.open({
      local: this.#sideOf("local"),
      remote: this.#sideOf("remote"),
      ancestor,
      rules: {
        stamp: () => "",
        list: async () => ({ findIgnored: findNone, identify: () => "" }),
        findIgnored: findNone,
        findLeftOut: findNone,
      },
    });
  }

  #makeAhead(): CopiesAhead {
    const { local: from, remote: to } = this.#disks;
    return new CopiesAhead({ from, to, clock: { now: () => this.#now() }, pair: "pair" });
  }

  #sideOf(name: Name): TreeSide {
    const hints = this.#hints[name];
    return new TreeSide({
      disk: this.#disks[name],
      clock: { now: () => this.#now() },
      hints: {
        take: () => {
          const taken = [...hints];
          hints.clear();
          return taken;
        },
        follow: () => false,
        leave: () => undefined,
      },
      ...(name === "local"
        ? { recall: (path) => this.#ahead.recall(path) }
        : { ahead: this.#ahead }),
      pair: "pair",
      store: "",
    });
  }

  #makeDisk(name: Name): MemoryDisk {
    return new MemoryDisk({
      onCall: () => this.#beforeCall(),
      onBreath: () => this.#letOthers(),
      onEvent: (folder) => {
        if (this.#random() < TOLD) this.#hints[name].add(folder);
      },
      now: () => this.#now(),
      exchanges: this.#options.exchanges,
      isExact: this.#options.seed % 3 === 0,
      hasBulk: this.#options.seed % 5 < 2,
    });
  }

  #now(): number {
    return this.#calls * MS_PER_CALL;
  }

  #beforeCall(): void {
    // Who is dead clears nothing up.
    if (this.#isDead) throw new Crash();
    this.#calls += 1;
    if (this.#isQuiet) return;
    if (this.#random() < ACTS) this.#people.act();
    this.#isDead = this.#random() < this.#options.crashes;
    if (this.#isDead) throw new Crash();
    if (this.#random() >= this.#options.failures) return;
    this.#failures += 1;
    throw new Failure(CODES[Math.floor(this.#random() * CODES.length)] ?? "EIO");
  }

  /** Whatever goes on at the same time gets further by a few turns: by the seed, and not by the machine's clock. */
  async #letOthers(): Promise<void> {
    const turns = this.#isQuiet ? 0 : Math.floor(this.#random() * MOST_TURNS);
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
  }

  #collect(): ReadonlySet<string> {
    const texts = new Set<string>();
    const walk = (inode: Inode | undefined): void => {
      if (inode?.kind === "file") texts.add(inode.text);
      for (const inner of inode?.names.values() ?? []) walk(inner);
    };
    for (const disk of Object.values(this.#disks)) {
      for (const path of PATHS) walk(disk.find(inTree(path)));
      walk(disk.find(inStore("trash")));
    }
    return texts;
  }

  #snapshot(): ReadonlyMap<string, string> {
    return new Map(PATHS.map((path) => [path, this.#textsAt(path)]));
  }

  #textsAt(path: string): string {
    const at = ({ find }: { find: (place: Place) => Inode | undefined }): string => {
      const inode = find(inTree(path));
      return inode?.kind === "file" ? inode.text : `(${inode?.kind ?? "nothing"})`;
    };
    const [local, remote] = [this.#disks.local, this.#disks.remote].map((disk) =>
      at({ find: (place) => disk.find(place) }),
    );
    return `${local}|${remote}`;
  }
}
