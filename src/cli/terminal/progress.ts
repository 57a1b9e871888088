import { monotonicMs, pause } from "../../base/clock.ts";
import type { LogLine, Progress } from "../../environment/environment.ts";
import type { Writer } from "./context.ts";
import { eraseLines, HIDE_CURSOR, SHOW_CURSOR } from "./cursor.ts";
import { cutTo, formatMs, NO_BREAK, padTo, tameText, wrap } from "./style.ts";
import type { Paint, Style } from "./style.ts";

/** Shows how a long call gets on, and leaves a line or two of it behind. */
export type ProgressView = {
  /** `of`: which of several that are made side by side. */
  report(progress: Progress, of?: string): void;
  line(line: LogLine): void;
  /** A line of ours, which stays. */
  note(text: string): void;
  /** Writes something else to the same terminal. */
  above(write: () => void): void;
  close(): void;
};

export type ProgressMode = "live" | "plain" | "none";

type Step = Progress & { readonly since: number; readonly of: string | undefined };

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 80;
const ENDED: Readonly<
  Record<Exclude<Progress["state"], "started">, readonly [symbol: string, format: Paint]>
> = { done: ["✓", "green"], skipped: ["–", "dim"], failed: ["✗", "red"] };
const NAME_WIDTH = "database".length;

export function openProgress(mode: ProgressMode, output: Writer, style: Style): ProgressView {
  if (mode === "live") return new LiveProgress(output, style);
  if (mode === "plain") return new PlainProgress(output);
  return { report: ignore, line: ignore, note: ignore, above: (write) => write(), close: ignore };
}

/** One line when a part begins that can take long, and one when a part ends. */
class PlainProgress implements ProgressView {
  readonly #output: Writer;

  constructor(output: Writer) {
    this.#output = output;
  }

  report({ part, state, ms, detail }: Progress, of?: string): void {
    const title = of === undefined ? part : `${of} ${part}`;
    const words = detail === null ? "" : ` (${tameText(detail, false)})`;
    this.#output.write(
      `${title}: ${state}${state === "started" ? "" : ` after ${formatMs(ms)}`}${words}\n`,
    );
  }

  line(): void {
    // A process's own lines are in its log.
  }

  note(text: string): void {
    this.#output.write(`${text}\n`);
  }

  above(write: () => void): void {
    write();
  }

  close(): void {
    // Nothing is left open.
  }
}

/** Redraws its lines in place, and on closing folds them into one. */
class LiveProgress implements ProgressView {
  readonly #output: Writer;
  readonly #style: Style;
  readonly #steps = new Map<string, Step>();
  readonly #closing = new AbortController();
  #lastText = "";
  #drawn = 0;
  #frame = 0;

  constructor(output: Writer, style: Style) {
    this.#output = output;
    this.#style = style;
  }

  report(progress: Progress, of?: string): void {
    if (this.#closing.signal.aborted) return;
    const isFirst = this.#steps.size === 0;
    const key = of ?? progress.part;
    // Another stage of the same step goes on where that began.
    const before = this.#steps.get(key);
    const goesOn = before?.part === progress.part && before.state === "started";
    const since = goesOn ? before.since : monotonicMs();
    this.#steps.set(key, { ...progress, of, since });
    if (progress.state !== "started") this.#lastText = "";
    this.#draw();
    if (isFirst) void this.#spin();
  }

  line({ text }: LogLine): void {
    this.#lastText = tameText(text, false).trim();
  }

  note(text: string): void {
    this.above(() => this.#output.write(`${text}\n`));
  }

  /** A line between those that are drawn would be counted as one of them, and one of them left behind. */
  above(write: () => void): void {
    if (this.#drawn > 0) this.#output.write(eraseLines(this.#drawn));
    write();
    this.#drawn = 0;
    if (this.#steps.size > 0 && !this.#closing.signal.aborted) this.#draw();
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    if (this.#steps.size === 0) return;
    const steps = [...this.#steps.values()];
    const hasFailed = steps.some(({ state }) => state === "failed" || state === "started");
    const text = hasFailed
      ? steps.map((step) => this.#formatStep(step)).join("\n")
      : this.#formatSummary(steps);
    const summary = text === "" ? "" : `${text}\n`;
    this.#output.write(`${eraseLines(this.#drawn)}${summary}${SHOW_CURSOR}`);
  }

  async #spin(): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      await pause(FRAME_MS, signal);
      if (signal.aborted) return;
      this.#frame += 1;
      this.#draw();
    }
  }

  #draw(): void {
    const lines = [...this.#steps.values()].map((step) => this.#formatStep(step));
    this.#output.write(`${eraseLines(this.#drawn)}${HIDE_CURSOR}${lines.join("\n")}\n`);
    this.#drawn = lines.length;
  }

  /** Never wider than the terminal: a line that wraps would be erased by half. */
  #formatStep({ part, state, ms, detail, since, of }: Step): string {
    const spent = state === "started" ? monotonicMs() - since : ms;
    const time = spent < 1 ? "" : formatMs(spent);
    const words = detail ?? (state === "started" ? this.#lastText : "");
    const room = this.#style.columns - NAME_WIDTH - 16 - (of?.length ?? 0);
    const shown = cutTo(tameText(words, false), Math.max(0, room));
    const { paint } = this.#style;
    const title = of === undefined ? padTo(part, NAME_WIDTH) : `${of} ${padTo(part, NAME_WIDTH)}`;
    const name = state === "skipped" ? paint("dim", title) : title;
    return `${this.#symbol(state)} ${name}  ${padTo(time, 8)}  ${shown === "" ? "" : paint("dim", shown)}`.trimEnd();
  }

  #symbol(state: Progress["state"]): string {
    const frame = FRAMES[this.#frame % FRAMES.length] ?? "·";
    const [symbol, format] = state === "started" ? ([frame, "cyan"] as const) : ENDED[state];
    return this.#style.paint(format, symbol);
  }

  /** Of several that were made side by side each says itself how long it took. */
  #formatSummary(steps: readonly Step[]): string {
    const done = steps.filter(({ state, of }) => state === "done" && of === undefined);
    // A part and its time stay together where the line is broken.
    const words = done.map(({ part, ms }) => `${part} ${formatMs(ms)}`.replaceAll(" ", NO_BREAK));
    const text = wrap(words.join(" · "), this.#style.columns - 1).replaceAll(NO_BREAK, " ");
    return this.#style.paint("dim", text);
  }
}

function ignore(): void {
  // Nothing is to be shown.
}
