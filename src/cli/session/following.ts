import { pause } from "../../base/clock.ts";
import type { LogLine } from "../../environment/environment.ts";
import type { CallInput } from "../../protocol/calls.ts";
import type { Place } from "../connection/place.ts";
import { Losses, resume } from "../connection/streams.ts";
import type { StreamName } from "../connection/streams.ts";
import type { ServerCalls } from "./server-calls.ts";

type Stream = { readonly name: StreamName; readonly input: CallInput<StreamName> };
type Show = (line: LogLine) => void;

/** What goes on beside a stream, and may show lines among its own. */
export type Beside = (show: Show, signal: AbortSignal) => Promise<void>;

const ATTEND_AGAIN_MS = 1_000;

/** Shows each line of a stream once, to its end; a connection that was lost is made again. */
export async function followStream(
  server: ServerCalls,
  { name, input: first }: Stream,
  show: Show,
): Promise<void> {
  const { SeenLines } = await import("../connection/seen-lines.ts");
  const seen = new SeenLines();
  const losses = new Losses();
  const onLine = (line: LogLine): void => {
    losses.forget();
    if (seen.isNew(line)) show(line);
  };
  for (let input = first; ; input = resume(first, seen)) {
    losses.begin();
    try {
      await server.ask({ name, input }, { onLine });
      return;
    } catch (error) {
      if (!losses.isBearable(error)) throw error;
      await server.waitAgain(error);
    }
  }
}

/** The same, with something beside it; the end of one is that of both. */
export async function followBeside(
  server: ServerCalls,
  stream: Stream,
  { show, beside }: { readonly show: Show; readonly beside: Beside },
): Promise<void> {
  const over = new AbortController();
  const both = server.until(over.signal);
  const { signal = over.signal } = both.context;
  const works = [followStream(both, stream, show), beside(show, signal)];
  try {
    await Promise.race(works);
  } finally {
    over.abort();
    await Promise.allSettled(works);
  }
}

/** Works while the server keeps the environment from falling asleep; one that is restarted is asked again. */
export async function attending<T>(
  place: Place,
  input: CallInput<"environment.attend">,
  work: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const attended = attend(place, input, over.signal);
  try {
    return await work();
  } finally {
    over.abort();
    await attended;
  }
}

async function attend(
  place: Place,
  input: CallInput<"environment.attend">,
  signal: AbortSignal,
): Promise<void> {
  const { callServer } = await import("../connection/client.ts");
  const call = { name: "environment.attend", input } as const;
  while (!signal.aborted) {
    try {
      await callServer(place, call, { signal });
    } catch {
      // The server leaves, or the work is over. What else stands in its way the work itself meets, and tells.
    }
    await pause(ATTEND_AGAIN_MS, signal);
  }
}
