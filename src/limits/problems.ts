import { formatBytes } from "../base/bytes.ts";
import { Problem } from "../base/problem.ts";
import type { Culprit, Excess } from "./judge.ts";

export type ShortDisk = { readonly freeBytes: number; readonly writtenBytes: number };

/** @param title such as `shop/agent` */
export function limitExceeded(title: string, excess: Excess): Problem {
  const { message, key } = describeExcess(excess);
  return new Problem({
    code: "limit_exceeded",
    message: `${title} was ended: ${message}`,
    remedy: `Mend what takes so much, or allow more by "limits": {${key}} in ramet.json; then run \`ramet env start\`.`,
  });
}

/** The disk is nearly full, and this is what fills it. */
export function diskShort(title: string, { freeBytes, writtenBytes }: ShortDisk): Problem {
  return new Problem({
    code: "disk_short",
    message: `${title} was ended: only ${formatBytes(freeBytes)} of the disk are left, and it has written ${formatBytes(writtenBytes)} within the last minute, more than any other.`,
    remedy: "Remove what it wrote, or make room; then run `ramet env start`.",
  });
}

function describeExcess({ limit, most, seen, culprit }: Excess): { message: string; key: string } {
  if (limit === "memory") {
    const took = seen === null ? "it wanted more" : `it took ${formatBytes(seen)}, more`;
    const who = seen === null ? nameEnded(culprit) : name(culprit, formatBytes);
    return {
      message: `${took} than ${formatBytes(most)} of memory, its limit${who}.`,
      key: `"memory": "…"`,
    };
  }
  if (limit === "processes") {
    const had = seen === null ? "it wanted more" : `it had ${seen}, more`;
    const who = name(culprit, (count) => `${count} of them`);
    return {
      message: `${had} than ${most} processes and threads, its limit${who}.`,
      key: `"processes": …`,
    };
  }
  return {
    message: `its files take up ${formatBytes(seen ?? most)}, more than ${formatBytes(most)}, its limit.`,
    key: `"disk": "…"`,
  };
}

function name(culprit: Culprit | undefined, format: (amount: number) => string): string {
  return culprit === undefined
    ? ""
    : `; ${culprit.name} (pid ${culprit.pid}) had ${format(culprit.amount)}`;
}

function nameEnded(culprit: Culprit | undefined): string {
  return culprit === undefined ? "" : `; the kernel ended ${culprit.name} (pid ${culprit.pid})`;
}
