import { hasErrorCode } from "../../base/problem.ts";
import { findAddon } from "./addon.ts";

/**
 * Two files change places in one instant: Node has no call for it, so that it takes an addon. `unable`: the addon does
 * not run on this machine, or the file system cannot do it.
 */
export function exchangeFiles(a: string, b: string): "done" | "gone" | "unable" {
  const addon = findAddon();
  if (addon === null) return "unable";
  try {
    addon.swapSync(a, b);
    return "done";
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return "gone";
    if (hasErrorCode(error, "EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EXDEV")) return "unable";
    throw error;
  }
}
