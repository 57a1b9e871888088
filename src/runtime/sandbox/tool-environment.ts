import { SEARCH_PATH } from "./search-path.ts";

/**
 * What the program that makes a sandbox is told: it still sees the machine, and variables like `LD_PRELOAD` would have it
 * run what the app wants. All that the app's process is given waits for it inside.
 */
export function planToolEnvironment(
  environment: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const marks = Object.entries(environment).filter(([name]) => isMark(name));
  return { ...Object.fromEntries(marks), PATH: SEARCH_PATH, LC_ALL: "C" };
}

/** By these our own processes are found again. */
function isMark(name: string): boolean {
  return /^RAMET_(PROCESS_)?MARK$/.test(name);
}
