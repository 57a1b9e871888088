import { messageOf } from "../../base/problem.ts";
import type { LiveEnvironment } from "./live-environment.ts";

/** Takes up, side by side, what an earlier server left running. */
export async function adoptAll(environments: readonly LiveEnvironment[]): Promise<void> {
  await Promise.all(environments.map(async (live) => adoptOrRest(live)));
}

/** One that cannot be taken up keeps no other from it: it sleeps, and the next wake tells why. */
async function adoptOrRest(live: LiveEnvironment): Promise<void> {
  try {
    await live.adopt();
  } catch (error) {
    live.note(`could not be taken up: ${messageOf(error)}`);
    await live.sleep();
  }
}
