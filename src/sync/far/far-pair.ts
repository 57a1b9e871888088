import { createHash, randomBytes } from "node:crypto";
import path from "node:path";

import { systemClock } from "../../base/clock.ts";
import { KeyedLock } from "../../base/keyed-lock.ts";
import { type Disk, inStore } from "../disk/disk.ts";
import { readText } from "../disk/read-text.ts";
import { openDisk } from "../disk/real-disk.ts";
import { realFolder } from "../disk/real-folder.ts";
import { Ancestor, readBootId } from "../pair/ancestor.ts";
import { Pair } from "../pair/pair.ts";
import { rulesOf } from "../pair/rules.ts";
import { WorkspaceLock } from "../pair/workspace-lock.ts";
import { KeptHashes } from "../side/kept-hashes.ts";
import { type Hints, TreeSide } from "../side/tree-side.ts";
import type { Wire } from "./wire.ts";
import { WiredSide } from "./wired-side.ts";

export type FarSides = {
  /** The workspace, on this machine. */
  readonly local: string;
  /** Names the tree at the other end, and no other tree ever. */
  readonly id: string;
  /** @param pair names both sides */
  readonly connect: (pair: string) => Wire;
};

type Opened = { readonly pair: Pair; readonly wire: Wire; readonly hashes: KeptHashes };

const STORE = ".ramet";
const NAME = inStore("workspace-id");

/** A workspace and a tree on another machine. What both held alike, and what the workspace displaces, is kept in the workspace. */
export class FarPair {
  readonly #sides: FarSides;
  readonly #lock = new KeyedLock();
  readonly #workspace: WorkspaceLock;
  #hints: Hints | null = null;
  #opened: Promise<Opened> | undefined;

  constructor(sides: FarSides) {
    this.#sides = { ...sides, local: realFolder(sides.local) };
    this.#workspace = new WorkspaceLock(this.#sides.local);
  }

  get local(): string {
    return this.#sides.local;
  }

  /** After a failure, such as a connection that was lost, both are looked at anew; and so they are after another command's work. */
  async with<T>(work: (pair: Pair) => Promise<T>, hints: Hints | null = null): Promise<T> {
    const workAlone = async (isUntouched: boolean): Promise<T> => {
      try {
        this.#hints = hints;
        if (!isUntouched) this.#opened = undefined;
        this.#opened ??= this.#open();
        return await work((await this.#opened).pair);
      } catch (error) {
        this.#opened = undefined;
        throw error;
      }
    };
    return this.#lock.run("pair", async () => this.#workspace.run(workAlone));
  }

  /** Resolves as the wire's does. @throws what it does */
  async wait(seen: number, signal: AbortSignal): Promise<number> {
    const opened = await this.#opened;
    if (opened === undefined) throw new Error("No wire is open.");
    return opened.wire.wait(seen, signal);
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined); // It was never open.
    opened?.hashes.save();
    await opened?.wire.close().catch(() => undefined); // It is put away by the next visitor.
  }

  async #open(): Promise<Opened> {
    const { local, id, connect } = this.#sides;
    const disk = openDisk({ tree: local, store: { base: local, path: STORE } });
    const pairId = hash(requireName(disk), local, id);
    disk.rest();
    const wire = connect(pairId);
    const remote = await WiredSide.open(wire);
    const hints = {
      take: () => this.#hints?.take() ?? null,
      follow: (folder: string) => this.#hints?.follow(folder) ?? false,
      leave: (folder: string) => this.#hints?.leave(folder),
    };
    const store = path.join(local, STORE);
    const boot = readBootId();
    const hashes = new KeptHashes({ disk, boot, pair: pairId });
    const side = new TreeSide({ disk, clock: systemClock, hints, hashes, pair: pairId, store });
    const ancestor = new Ancestor({
      disk,
      folder: `ancestors/${pairId}`,
      epoch: [await side.identify(), await remote.identify()].join("|"),
      clock: systemClock,
      boot,
    });
    const pair = await Pair.open({ local: side, remote, ancestor, rules: rulesOf(local) });
    return { pair, wire, hashes };
  }
}

/** Two workspaces, on whatever machines, have never the same; a copy of one lies elsewhere. */
function requireName(disk: Disk): string {
  const read = (): string => readText(disk, NAME).trim();
  if (read() === "") disk.note(NAME, `${randomBytes(16).toString("hex")}\n`);
  return read();
}

function hash(...words: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(words)).digest("hex").slice(0, 16);
}
