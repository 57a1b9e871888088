/** A folder of a tree that turns into a link to a folder outside and back all the time, while transfers go on in it. */
import { createHash } from "node:crypto";
import path from "node:path";
import { Worker } from "node:worker_threads";

import type { Entry } from "../../src/sync/core/tree.ts";
import type { TreeSide } from "../../src/sync/side/tree-side.ts";
import { type Folders, openFolders, put, read, type Words } from "./folders.ts";

const OUTSIDE = { "empty/": "", key: "precious" };
const EVIL = Buffer.from("evil");
/** So many files come and go. */
const NAMES = 50;

/** Exchanges a folder and a link to the victim, in a thread of its own, again and again. */
const FLIPPER = `
  const { renameSync, symlinkSync, rmSync } = require("node:fs");
  const { workerData: [way, victim] } = require("node:worker_threads");
  const exchange = () => {
    renameSync(way, way + "-real");
    symlinkSync(victim, way);
    rmSync(way);
    renameSync(way + "-real", way);
  };
  for (;;) {
    try {
      exchange();
    } catch {
      // A folder was made there meanwhile: it makes room for the real one.
      try {
        rmSync(way, { recursive: true, force: true });
        renameSync(way + "-real", way);
      } catch {
        // It is in its place, or somebody is just writing into what was made.
      }
    }
  }`;

export class LinkRace {
  readonly folders: Folders;
  readonly #flipper: Worker;
  #rounds = 0;

  private constructor(folders: Folders, flipper: Worker) {
    this.folders = folders;
    this.#flipper = flipper;
  }

  static async open(): Promise<LinkRace> {
    const folders = await openFolders();
    const outside = path.join(folders.root, "outside");
    await put(outside, OUTSIDE);
    await put(folders.sides.remote, { "way/file": "own", "in/file": "own" });
    const way = path.join(folders.sides.remote, "way");
    return new LinkRace(folders, new Worker(FLIPPER, { eval: true, workerData: [way, outside] }));
  }

  get rounds(): number {
    return this.#rounds;
  }

  /** Writes, replaces, runs, removes, makes and reads by way of that folder. Resolves with what was seen of the outside. */
  async attack(side: TreeSide): Promise<readonly string[]> {
    this.#rounds += 1;
    const name = `way/new-${this.#rounds % NAMES}`;
    const steps = [
      { path: name, entry: fileOf("evil"), expected: undefined },
      { path: "way/key", entry: fileOf("evil"), expected: fileOf("precious") },
      { path: "way/file", entry: fileOf("own", this.#rounds % 2 === 0), expected: fileOf("own") },
      { path: `way/made-${this.#rounds % NAMES}/`, entry: FOLDER, expected: undefined },
    ];
    const removals = [
      { path: `way/new-${(this.#rounds + 1) % NAMES}`, expected: fileOf("evil") },
      { path: "way/key", expected: fileOf("precious") },
      { path: "way/empty/", expected: FOLDER },
    ];
    await side.apply({ removals, puts: steps }, { read: () => [EVIL] });
    await side.commit();
    return this.#look(side);
  }

  /** What lies outside by now; null: what lay there before. */
  async findDamage(): Promise<Words | null> {
    const outside = await read(path.join(this.folders.root, "outside"));
    return JSON.stringify(outside) === JSON.stringify(OUTSIDE) ? null : outside;
  }

  async close(): Promise<void> {
    await this.#flipper.terminate();
    await this.folders.close();
  }

  async #look(side: TreeSide): Promise<readonly string[]> {
    const { changes } = await side.look({ scope: "all", findIgnored: async () => new Set() });
    const precious = fileOf("precious");
    const seen = [...changes].filter(
      ([, entry]) => entry?.kind === "file" && entry.hash === precious.hash,
    );
    const told = seen.map(([name]) => name);
    for await (const part of side.contents.read("way/key"))
      if (Buffer.from(part).toString() === "precious") told.push("its bytes");
    return told;
  }
}

const FOLDER: Entry = { kind: "folder" };

function fileOf(bytes: string, executable = false): Extract<Entry, { kind: "file" }> {
  return { kind: "file", hash: createHash("sha256").update(bytes).digest("hex"), executable };
}
