import { sleep } from "../../base/clock.ts";
import { exists } from "../../base/remove-inside.ts";
import type { Home } from "../../protocol/home.ts";

const LOOK_EVERY_MS = 2_000;

/**
 * Resolves when the home was removed from under its server, or only the server's socket: nobody can reach it any more.
 * Never, where the signal is aborted first.
 */
export async function untilVanished(home: Home, signal: AbortSignal): Promise<"home" | "socket"> {
  for (;;) {
    await sleep(LOOK_EVERY_MS, signal);
    if (!(await exists(home.serverFile))) return "home";
    if (!(await exists(home.socket))) return "socket";
  }
}
