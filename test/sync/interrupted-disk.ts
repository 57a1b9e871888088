import type { Disk, Listed, Place, Range, Seen, Writing } from "../../src/sync/disk/disk.ts";

/** A disk before each of whose calls somebody may act. */
export class InterruptedDisk implements Disk {
  readonly #disk: Disk;
  readonly #before: (use: keyof Disk, place: Place) => void;

  constructor(disk: Disk, before: (use: keyof Disk, place: Place) => void) {
    this.#disk = disk;
    this.#before = before;
  }

  identify(): string {
    return this.#disk.identify();
  }

  see(place: Place): Seen | undefined {
    this.#before("see", place);
    return this.#disk.see(place);
  }

  list(folder: Place): readonly Listed[] | undefined {
    this.#before("list", folder);
    return this.#disk.list(folder);
  }

  readLink(place: Place): string | undefined {
    this.#before("readLink", place);
    return this.#disk.readLink(place);
  }

  read(place: Place, range?: Range): Iterable<Uint8Array> {
    this.#before("read", place);
    return this.#disk.read(place, range);
  }

  write(place: Place, executable: boolean): Writing {
    this.#before("write", place);
    return this.#disk.write(place, executable);
  }

  exchange(a: Place, b: Place): "done" | "gone" | "unable" {
    this.#before("exchange", b);
    return this.#disk.exchange(a, b);
  }

  link(from: Place, to: Place): boolean {
    this.#before("link", to);
    return this.#disk.link(from, to);
  }

  makeLink(target: string, to: Place): boolean {
    this.#before("makeLink", to);
    return this.#disk.makeLink(target, to);
  }

  move(from: Place, to: Place): boolean {
    this.#before("move", from);
    return this.#disk.move(from, to);
  }

  remove(place: Place): void {
    this.#before("remove", place);
    this.#disk.remove(place);
  }

  removeFolder(folder: Place): boolean {
    this.#before("removeFolder", folder);
    return this.#disk.removeFolder(folder);
  }

  makeFolder(folder: Place): void {
    this.#before("makeFolder", folder);
    this.#disk.makeFolder(folder);
  }

  note(place: Place, text: string): void {
    this.#before("note", place);
    this.#disk.note(place, text);
  }

  async overwrite(place: Place, text: string, durably?: "durably"): Promise<void> {
    this.#before("overwrite", place);
    await this.#disk.overwrite(place, text, durably);
  }

  append(place: Place, text: string): void {
    this.#before("append", place);
    this.#disk.append(place, text);
  }

  breathe(): Promise<void> {
    return this.#disk.breathe();
  }

  rest(): void {
    this.#disk.rest();
  }
}
