import { createRequire } from "node:module";

/** What systems can do and Node has no call for. */
export type Addon = {
  /** Two files change places in one instant. */
  swapSync(a: string, b: string): void;
  /** Until it is closed, or its holder has ended, however that was; false: another holds it. */
  tryLock(descriptor: number): boolean;
};

let found: Addon | null | undefined;

/** null: it has no binary for this machine. */
export function findAddon(): Addon | null {
  found ??= loadAddon();
  return found;
}

function loadAddon(): Addon | null {
  try {
    const addon: unknown = createRequire(import.meta.url)("fs-native-extensions");
    return isAddon(addon) ? addon : null;
  } catch {
    // It is not there for this machine.
    return null;
  }
}

function isAddon(addon: unknown): addon is Addon {
  return typeof addon === "object" && addon !== null && "swapSync" in addon && "tryLock" in addon;
}
