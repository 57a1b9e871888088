const DURATIONS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

const SIZES: ReadonlyMap<string, number> = new Map([
  ["k", 1e3],
  ["m", 1e6],
  ["g", 1e9],
  ["t", 1e12],
]);

/** Milliseconds of `500ms`, `90s`, `15m`, `2h`, `1d`; undefined: it is none. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit = ""] = /^(\d{1,9}) ?(ms|s|m|h|d)$/.exec(text) ?? [];
  return multiply(count, DURATIONS.get(unit));
}

/** Bytes of `512K`, `100M`, `1.5G`, `2 GB`, in powers of a thousand, as disks are sold; undefined: it is none. */
export function parseSize(text: string): number | undefined {
  const [, count, unit = ""] =
    /^(\d{1,9}(?:\.\d{1,3})?) ?([kmgt])b?$/.exec(text.toLowerCase()) ?? [];
  return multiply(count, SIZES.get(unit));
}

function multiply(count: string | undefined, factor: number | undefined): number | undefined {
  return count === undefined || factor === undefined ? undefined : Number(count) * factor;
}
