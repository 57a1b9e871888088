import path from "node:path";

import { rest, systemClock } from "../../base/clock.ts";
import { explainDiskFull } from "../../base/disk-full.ts";
import { openDisk } from "../disk/real-disk.ts";
import { readBootId } from "../pair/ancestor.ts";
import { whileAlone } from "../pair/pairs.ts";
import { KeptHashes } from "../side/kept-hashes.ts";
import { TreeWatch } from "../side/tree-watch.ts";
import { ServedSide } from "./served-side.ts";
import { StagingRoom } from "./staging-room.ts";
import type { Wire } from "./wire.ts";

/** As a wire's other end is answered; `pair` names both sides. */
export type ServedTree = Omit<Wire, "close"> & { close(): void };

/** Shorter than a connection may be silent. */
const WAIT_MS = 20_000;

/** `home`: the folder where what it displaces is kept. Visitors are to take turns. @throws `sync_unreadable` */
export function openServed(
  { remote, home }: { readonly remote: string; readonly home: string },
  pair: string,
): ServedTree {
  const store = { base: path.dirname(home), path: path.basename(home) };
  const waiting = new Waiting();
  const disk = openDisk({ tree: remote, store });
  const hints = new TreeWatch(remote, waiting.note);
  const room = new StagingRoom(remote);
  const hashes = new KeptHashes({ disk, boot: readBootId(), pair });
  const side = new ServedSide({ disk, clock: systemClock, hints, hashes, pair, store: home, room });
  const explained = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explainDiskFull(error, remote);
    }
  };
  return {
    open: async () => explained(async () => side.open()),
    look: async (scope) => side.look(scope),
    answer: async (ignored) => side.answer(ignored),
    read: async (wants) => side.read(wants),
    pieces: async (name) => side.pieces(name),
    stage: async (batch) => explained(async () => side.stage(batch)),
    apply: async (plan) => explained(async () => side.apply(plan)),
    commit: async () => explained(async () => side.commit()),
    wait: async (seen, signal) => waiting.next(seen, signal),
    close: () => {
      hints.close();
      waiting.note();
      side.close();
      hashes.save();
    },
  };
}

/** The same tree, which nobody else on this machine transfers to while it is opened, changed or committed. */
export function takeTurns(home: string, tree: ServedTree): ServedTree {
  return {
    ...tree,
    open: async () => whileAlone(home, tree.open),
    apply: async (plan) => whileAlone(home, async () => tree.apply(plan)),
    commit: async () => whileAlone(home, tree.commit),
  };
}

/** How many events there were, for any number of those who wait. */
class Waiting {
  #count = 0;
  #next = Promise.withResolvers<void>();

  readonly note = (): void => {
    this.#count += 1;
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  };

  async next(seen: number, signal: AbortSignal): Promise<number> {
    if (this.#count !== seen) return this.#count;
    const over = new AbortController();
    // Its only end is the signal's.
    const waited = rest(WAIT_MS, AbortSignal.any([signal, over.signal])).catch(() => undefined);
    await Promise.race([this.#next.promise, waited]);
    over.abort();
    return this.#count;
  }
}
