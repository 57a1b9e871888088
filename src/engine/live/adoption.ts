import { messageOf } from "../../base/problem.ts";
import { MARK_VARIABLE } from "../../environment/places.ts";
import { findMarked } from "../../process/process.ts";
import type { Layout } from "../home/layout.ts";
import type { LiveEnvironment } from "./live-environment.ts";

/**
 * Takes up, side by side, what an earlier server left running. Who has a process is looked up once for all: a walk through
 * `/proc` for each of two hundred that sleep would keep the server busy for seconds.
 */
export async function adoptAll(
  { home }: Layout,
  environments: readonly LiveEnvironment[],
): Promise<void> {
  const look = async (): Promise<readonly { readonly mark: string }[]> =>
    findMarked(MARK_VARIABLE, `${home.id}.`);
  // A look is not of one moment: what was born meanwhile, of a parent that has ended, is seen by the second.
  const marked = [...(await look()), ...(await look())];
  const running = new Set(marked.map(({ mark }) => mark.split(".")[1]));
  await Promise.all(
    environments.map(async (live) => adoptOrRest(live, running.has(live.record.id))),
  );
}

/** One that cannot be taken up keeps no other from it: it sleeps, and the next wake tells why. */
async function adoptOrRest(live: LiveEnvironment, hasProcesses: boolean): Promise<void> {
  try {
    await live.adopt({ hasProcesses });
  } catch (error) {
    live.note(`could not be taken up: ${messageOf(error)}`);
    await live.sleep();
  }
}
