import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";

/** Milliseconds that some work took. */
export async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** The middle one; of an even number the upper. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** `median (least–most)`, in whole milliseconds. */
export function formatMs(figures: readonly number[]): string {
  const [least, most] = [Math.min(...figures), Math.max(...figures)];
  return `${Math.round(median(figures))} (${Math.round(least)}–${Math.round(most)})`;
}

export function formatRatio(figures: readonly number[], floor: readonly number[]): string {
  return `${(median(figures) / median(floor)).toFixed(2)} ×`;
}

/** Runs a program to its end. @throws Error with what it printed when it fails. */
export async function run(
  file: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string | undefined> } = {},
): Promise<string> {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let printed = "";
  child.stdout.on("data", (chunk) => (printed += String(chunk)));
  let complaint = "";
  child.stderr.on("data", (chunk) => (complaint += String(chunk)));
  await once(child, "close");
  if (child.exitCode !== 0) throw new Error(`${file} ${args.join(" ")}: ${printed}${complaint}`);
  return printed;
}

/** The status of a GET, by an address that the system need not resolve; 0 where nobody answers. */
export async function fetchStatus(port: number, host = "localhost"): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const sent = request({ host: "127.0.0.1", port, headers: { host } }, (response) => {
    response.resume();
    response.on("end", () => resolve(response.statusCode ?? 0));
  });
  sent.on("error", () => resolve(0));
  sent.end();
  return promise;
}

/** Asks again and again until the answer is 200. */
export async function untilOk(port: number, host?: string): Promise<void> {
  const end = performance.now() + 60_000;
  while ((await fetchStatus(port, host)) !== 200) {
    if (performance.now() > end) throw new Error(`Nobody answered 200 on port ${port}.`);
  }
}
