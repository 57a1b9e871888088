import { waitFor } from "../../base/clock.ts";
import { readServerFile } from "./server-file.ts";

/** As long as a command waits for the server that it starts. */
const LIMIT_MS = 20_000;
const LOOK_EVERY_MS = 25;

/** Resolves once another server of this home answers whoever comes, or is not to be expected any more. */
export async function untilNext(serverFile: string): Promise<void> {
  const isThere = async (): Promise<true | undefined> => {
    const { pid, startedAt } = await readServerFile(serverFile);
    return (pid !== process.pid && startedAt !== null) || undefined;
  };
  await waitFor(isThere, { timeoutMs: LIMIT_MS, everyMs: LOOK_EVERY_MS });
}
