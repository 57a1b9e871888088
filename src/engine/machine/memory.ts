import { readFile } from "node:fs/promises";
import path from "node:path";

/** How the machine stands with its memory. */
export type MachineMemory = {
  readonly totalBytes: number;
  /** What programs can still be given, without anything being swapped out. */
  readonly availableBytes: number;
  /** Of the last ten seconds, the share in which somebody waited for memory. */
  readonly stalled: number;
};

/** Less of it, or this much, is kept free. */
const RESERVE = { bytes: 1e9, share: 0.06 };
/**
 * Somebody waits for memory a quarter of the time while no more than a quarter of it is available: what is said to be available
 * is in use then. With more of it, whoever waits only reads much from the disk, and nobody's sleep would help him.
 */
const STALLED = { share: 0.25, availableShare: 0.25 };

/** null where the machine does not tell it so. @param folder `/proc` */
export async function readMemory(folder: string): Promise<MachineMemory | null> {
  const info = await read(path.join(folder, "meminfo"));
  const totalBytes = parseKilobytes(info, "MemTotal");
  const availableBytes = parseKilobytes(info, "MemAvailable");
  if (totalBytes === undefined || availableBytes === undefined) return null;
  const pressure = await read(path.join(folder, "pressure", "memory"));
  const stalled = Number(/^some avg10=([\d.]+)/m.exec(pressure)?.[1] ?? 0) / 100;
  return { totalBytes, availableBytes, stalled };
}

/** Whether who is not needed should make room for who is. */
export function isShort({ totalBytes, availableBytes, stalled }: MachineMemory): boolean {
  const reserve = Math.min(RESERVE.bytes, totalBytes * RESERVE.share);
  if (availableBytes < reserve) return true;
  return stalled >= STALLED.share && availableBytes < totalBytes * STALLED.availableShare;
}

function parseKilobytes(info: string, field: string): number | undefined {
  const kilobytes = new RegExp(`^${field}: +(\\d+) kB$`, "m").exec(info)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch {
    // Not on this kind of machine.
    return "";
  }
}
