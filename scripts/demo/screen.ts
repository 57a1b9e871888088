import { monotonicMs, systemClock } from "../../src/base/clock.ts";
import { formatMs, styleFor } from "../../src/cli/terminal/style.ts";
import type { Style } from "../../src/cli/terminal/style.ts";

const CLEAR_LINE = "\r\u001B[K";

/** What the person watching sees: steps that are being done, then done, and the lines between them. */
export class Screen {
  readonly style: Style;
  readonly #isTerminal = process.stdout.isTTY;
  readonly #pending: string[] = [];

  constructor() {
    const writer = {
      isTerminal: this.#isTerminal,
      columns: process.stdout.columns,
      write: (text: string) => process.stdout.write(text),
    };
    this.style = styleFor(writer, process.env, systemClock.now());
  }

  title(text: string): void {
    this.line(`\n${this.style.paint("bold", text)}`);
  }

  /** Above the steps that are under way, which a terminal shows in its last line. */
  line(text: string): void {
    if (!this.#isTerminal) {
      process.stdout.write(`${text}\n`);
      return;
    }
    process.stdout.write(`${CLEAR_LINE}${text}\n`);
    this.#showPending();
  }

  async step<T>(text: string, work: () => Promise<T>): Promise<T> {
    const start = monotonicMs();
    this.#begin(text);
    let mark = this.style.paint("red", "✗");
    try {
      const result = await work();
      mark = this.style.paint("green", "✓");
      return result;
    } catch (error) {
      // Whoever interrupted it knows why it was not done.
      if (isInterruption(error)) mark = this.style.paint("dim", "–");
      throw error;
    } finally {
      this.#pending.splice(this.#pending.indexOf(text), 1);
      this.#conclude(mark, text, formatMs(monotonicMs() - start));
    }
  }

  done(text: string, detail: string): void {
    this.#conclude(this.style.paint("green", "✓"), text, detail);
  }

  #begin(text: string): void {
    this.#pending.push(text);
    this.#showPending();
  }

  #showPending(): void {
    if (!this.#isTerminal || this.#pending.length === 0) return;
    const text = `  ◌ ${this.#pending.join(", ")}…`.slice(0, this.style.columns - 1);
    process.stdout.write(`${CLEAR_LINE}${this.style.paint("dim", text)}`);
  }

  #conclude(mark: string, text: string, detail: string): void {
    this.line(`  ${mark} ${text}  ${this.style.paint("dim", detail)}`);
  }
}

function isInterruption(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
