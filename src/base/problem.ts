/** What crosses the wire and what `--json` prints when something a person can fix went wrong. */
export type ProblemFields = {
  /** `snake_case`, stable: programs match on it. */
  readonly code: string;
  /** What is wrong, one sentence, without the remedy. */
  readonly message: string;
  /** What to do about it, one sentence, with the command where there is one. */
  readonly remedy: string;
};

/** Something that a person can fix. Everything else that is thrown is a bug of ours. */
export class Problem extends Error implements ProblemFields {
  override readonly name = "Problem";
  readonly code: string;
  readonly remedy: string;

  constructor(fields: ProblemFields, options?: ErrorOptions) {
    super(fields.message, options);
    this.code = fields.code;
    this.remedy = fields.remedy;
  }

  toFields(): ProblemFields {
    return { code: this.code, message: this.message, remedy: this.remedy };
  }
}

/** True when a system call failed with this code, such as `ENOENT`. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** The words of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What was typed, or another program sent, as a message shows it: short, and without a control character. */
export function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
