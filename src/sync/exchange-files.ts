import { createRequire } from "node:module";

import { hasErrorCode } from "../base/problem.ts";

type Swap = (from: string, to: string) => void;

let swap: Swap | null | undefined;

/**
 * Two files change places in one instant: Node has no call for it, so that it takes an addon. `unable`: the addon does
 * not run on this machine, or the file system cannot do it.
 */
export function exchangeFiles(a: string, b: string): "done" | "gone" | "unable" {
  swap ??= findSwap();
  if (swap === null) return "unable";
  try {
    swap(a, b);
    return "done";
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return "gone";
    if (hasErrorCode(error, "EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EXDEV")) return "unable";
    throw error;
  }
}

function findSwap(): Swap | null {
  try {
    const addon: unknown = createRequire(import.meta.url)("fs-native-extensions");
    return isAddon(addon) ? (from, to) => addon.swapSync(from, to) : null;
  } catch {
    // It has no binary for this machine.
    return null;
  }
}

function isAddon(addon: unknown): addon is { swapSync: Swap } {
  return typeof addon === "object" && addon !== null && "swapSync" in addon;
}
