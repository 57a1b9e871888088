import { monotonicMs, waitFor } from "../../base/clock.ts";
import { Problem } from "../../base/problem.ts";
import type { CallInput, CallName, CallOutput } from "../../protocol/calls.ts";
import type { CallEvents } from "../connection/client.ts";
import { placeOf } from "../connection/place.ts";
import type { Context } from "../terminal/context.ts";
import { styleFor } from "../terminal/style.ts";

/** How long a stream waits for a server that was restarted. */
const RECONNECT_MS = 30_000;
/** A laptop may be without a network for as long as one travels. */
const RECONNECT_AFAR_MS = 12 * 60 * 60_000;
const PAUSE_MS = 100;
const PAUSE_AFAR_MS = 1_000;

/** The calls of one command: this machine's own server is started for the first, if need be. */
export class ServerCalls {
  readonly context: Context;
  /** Says a line to the person. */
  readonly #note: (text: string) => void;
  #isStarted = false;

  constructor(context: Context, note: (text: string) => void) {
    this.context = context;
    this.#note = note;
  }

  /** The same, of work that another signal ends as well. */
  until(over: AbortSignal): ServerCalls {
    const { signal: stopped } = this.context;
    const signal = AbortSignal.any([over, ...(stopped === undefined ? [] : [stopped])]);
    return new ServerCalls({ ...this.context, signal }, this.#note);
  }

  async ask<Name extends CallName>(
    call: { readonly name: Name; readonly input: CallInput<Name> },
    events: CallEvents,
  ): Promise<CallOutput<Name>> {
    const { callServer } = await import("../connection/client.ts");
    const { signal } = this.context;
    const place = placeOf(this.context);
    try {
      return await callServer(place, call, { ...events, signal });
    } catch (error) {
      const isAbsent = error instanceof Problem && error.code === "server_not_running";
      if (!isAbsent || this.#isStarted) throw error;
    }
    await this.#start();
    return callServer(place, call, { ...events, signal });
  }

  /** A server that was stopped for good is not started again by whoever was listening to it. @throws `lost` */
  async waitAgain(lost: unknown): Promise<void> {
    this.#isStarted = true;
    const { findStartingServer } = await import("../connection/server-process.ts");
    const { remote, signal } = this.context;
    const place = placeOf(this.context);
    const since = monotonicMs();
    this.#note("The connection to the server was lost; waiting for it …");
    const status = await waitFor(() => findStartingServer(place, signal), {
      timeoutMs: remote === undefined ? RECONNECT_MS : RECONNECT_AFAR_MS,
      everyMs: remote === undefined ? PAUSE_MS : PAUSE_AFAR_MS,
    });
    if (status === undefined) throw lost;
    this.#note(`Connected again after ${Math.round(monotonicMs() - since)} ms.`);
  }

  async #start(): Promise<void> {
    this.#isStarted = true;
    const { startServer } = await import("../connection/server-process.ts");
    const { environment, stderr } = this.context;
    if (stderr.isTerminal)
      this.#note(styleFor(stderr, environment, 0).paint("dim", "Starting the server …"));
    await startServer(this.context);
  }
}
