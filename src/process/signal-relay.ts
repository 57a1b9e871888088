const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Catches the signals that are sent to us from the first moment on, and passes them to whoever is there for them. */
export class SignalRelay {
  readonly #early: NodeJS.Signals[] = [];
  readonly #passInterrupt: boolean;
  #pass: ((signal: NodeJS.Signals) => void) | undefined;

  constructor(options: { readonly passInterrupt: boolean }) {
    this.#passInterrupt = options.passInterrupt;
    for (const signal of SIGNALS) process.on(signal, this.#hear);
  }

  /** Also those that came before. */
  passTo(pass: (signal: NodeJS.Signals) => void): void {
    this.#pass = pass;
    for (const signal of this.#early) pass(signal);
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#hear);
  }

  readonly #hear = (signal: NodeJS.Signals): void => {
    if (signal === "SIGINT" && !this.#passInterrupt) return;
    if (this.#pass === undefined) this.#early.push(signal);
    else this.#pass(signal);
  };
}
