import type { Disk, Place } from "./disk.ts";

/** A small file of ours; "" where there is none. Each part is copied before the next comes in the same memory. */
export function readText(disk: Disk, place: Place): string {
  return Buffer.concat(Array.from(disk.read(place), (part) => Buffer.from(part))).toString();
}
