import { createHash } from "node:crypto";

import { isLeftOut } from "../core/left-out.ts";
import { isPlainPath } from "../core/paths.ts";
import { type Disk, inStore, inTree, type Place, type Writing } from "../disk/disk.ts";
import { changedMeanwhile, syncOutside, wireBroken } from "../disk/problems.ts";
import type { BytesPart, CopyPart, Part } from "./batch.ts";
import type { StagingRoom } from "./staging-room.ts";

export type IncomingOptions = {
  readonly disk: Disk;
  /** A folder of the store. */
  readonly folder: string;
  readonly room: Pick<StagingRoom, "take" | "giveBack" | "clear">;
};

/** A file while its parts come. */
type Coming = { readonly path: string; readonly writing: Writing; readonly offset: number };

/** What a visitor sends ahead of a plan: by the paths of the tree, until the plan has been carried out. */
export class Incoming {
  readonly #options: IncomingOptions;
  /** One at a time, so that nobody can hold many files open. */
  #coming: Coming | undefined;
  /** The file that came last, and the room that was taken for it: if it is begun anew it needs that no more. */
  #last = { path: "", bytes: 0 };
  /** What was told of last: a file of the tree of which parts may be taken over, as long as it is of this version. */
  #present: { readonly path: string; readonly version: string } | undefined;

  constructor(options: IncomingOptions) {
    this.#options = options;
  }

  mayCopy(path: string, version: string): void {
    this.#present = { path, version };
  }

  /** @throws `disk_full`, `sync_outside`, `wire_broken`; `sync_conflict` where what was to be taken over has changed */
  async take(parts: readonly Part[]): Promise<void> {
    const { disk } = this.#options;
    try {
      await this.#takeRoom(parts);
      for (const part of parts) await this.#takePart(part);
    } finally {
      disk.rest();
    }
  }

  read(path: string): Iterable<Uint8Array> {
    return this.#options.disk.read(this.#placeOf(path));
  }

  clear(): void {
    const { disk, room, folder } = this.#options;
    room.clear();
    this.#end();
    this.#last = { path: "", bytes: 0 };
    for (const { name } of disk.list(inStore(folder)) ?? [])
      disk.remove(inStore(`${folder}/${name}`));
    disk.rest();
  }

  async #takeRoom(parts: readonly Part[]): Promise<void> {
    const { room } = this.#options;
    const [first] = parts;
    if (first?.offset === 0 && first.path === this.#last.path) {
      this.#discard(first.path);
      room.giveBack(this.#last.bytes);
      this.#last.bytes = 0;
    }
    await room.take(parts.reduce((sum, part) => sum + sizeOf(part), 0));
    for (const part of parts) {
      if (part.path !== this.#last.path) this.#last = { path: part.path, bytes: 0 };
      this.#last.bytes += sizeOf(part);
    }
  }

  async #takePart(part: Part): Promise<void> {
    const { path, offset, isEnd } = part;
    if (!isPlainPath(path) || path.split("/").some(isLeftOut)) throw syncOutside(path);
    if (offset === 0) this.#begin(path);
    if ("from" in part) await this.#copy(part);
    else this.#write(part);
    if (isEnd) this.#end();
  }

  #begin(path: string): void {
    this.#discard(path);
    const writing = this.#options.disk.write(this.#placeOf(path), false);
    this.#coming = { path, writing, offset: 0 };
  }

  #discard(path: string): void {
    this.#end();
    this.#options.disk.remove(this.#placeOf(path));
  }

  /** Nothing but the bytes that follow: others may have come while these were read. */
  #write({ path, offset, bytes }: Omit<BytesPart, "isEnd">): void {
    const coming = this.#coming;
    if (coming?.path !== path || coming.offset !== offset) throw wireBroken("a part is missing");
    if (bytes.length > 0) coming.writing.write(bytes);
    this.#coming = { ...coming, offset: offset + bytes.length };
  }

  async #copy({ path, offset, from, size }: CopyPart): Promise<void> {
    const { disk } = this.#options;
    const present = this.#present;
    if (present?.path !== path) throw changedMeanwhile(path);
    let at = offset;
    for (const bytes of disk.read(inTree(path), { offset: from, size })) {
      this.#write({ path, offset: at, bytes });
      at += bytes.length;
      await disk.breathe();
    }
    const isSame = disk.see(inTree(path))?.version === present.version;
    if (at !== offset + size || !isSame) throw changedMeanwhile(path);
  }

  #end(): void {
    this.#coming?.writing.close();
    this.#coming = undefined;
  }

  /** By what it is of, whatever that is called. */
  #placeOf(path: string): Place {
    return inStore(`${this.#options.folder}/${createHash("sha256").update(path).digest("hex")}`);
  }
}

function sizeOf(part: Part): number {
  return "from" in part ? part.size : part.bytes.length;
}
