import { waitFor } from "../../base/clock.ts";
import { isListening } from "../../base/is-listening.ts";
import { compiledCodeVariable } from "../../base/own-program.ts";
import { MARK_VARIABLE } from "../../environment/places.ts";
import { isRunning, startDetached } from "../../process/process.ts";
import { SEARCH_PATH } from "../sandbox/search-path.ts";
import { wayOutMissing } from "./problems.ts";

export type DialerPlace = {
  readonly socket: string;
  readonly log: string;
  readonly mark: string;
  /** What it is told of the world besides: through whom it is reached. */
  readonly environment: Readonly<Record<string, string>>;
};

const START_MS = 20_000;

/** At once where one is there. It outlives whoever starts it. @throws `way_out_missing` */
export async function requireDialer(place: DialerPlace, program: readonly string[]): Promise<void> {
  const { socket } = place;
  if (await isListening({ path: socket })) return;
  const [file, ...args] = program;
  if (file === undefined) throw new Error("A dialer's program has a file.");
  const environment = {
    ...place.environment,
    ...compiledCodeVariable(),
    PATH: SEARCH_PATH,
    [MARK_VARIABLE]: place.mark,
  };
  const launch = { file, args: [...args, socket], folder: "/", environment, user: null };
  const pid = await startDetached(launch, { output: place.log });
  const found = await waitFor(
    async () =>
      (await isListening({ path: socket })) || !isRunning(pid)
        ? { isThere: isRunning(pid) }
        : undefined,
    { timeoutMs: START_MS, everyMs: 5 },
  );
  if (found?.isThere !== true) throw wayOutMissing(place.log);
}
