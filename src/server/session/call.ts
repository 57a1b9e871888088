import { z } from "zod";

import { inputInvalid } from "./problems.ts";
import type { Session } from "./session.ts";

const MOST_REASONS = 10;

/** What a call is asked with and answers with. */
export type CallSchema<Input, Output> = {
  readonly input: z.ZodType<Input>;
  readonly output: z.ZodType<Output>;
};

/** A call as the server answers it. */
export type Call = {
  readonly schema: CallSchema<unknown, unknown>;
  /** @throws `input_invalid` and whatever problems the call has. */
  run(raw: unknown, session: Session): Promise<unknown>;
};

/** Binds an answer to its call's schema: what reaches it has been parsed. */
export function defineCall<Input, Output>(
  schema: CallSchema<Input, Output>,
  answer: (input: Input, session: Session) => Promise<Output>,
): Call {
  return { schema, run: async (raw, session) => answer(parseInput(schema.input, raw), session) };
}

function parseInput<Input>(schema: z.ZodType<Input>, raw: unknown): Input {
  const parsed = schema.safeParse(raw);
  if (!parsed.success) throw inputInvalid(describe(parsed.error));
  return parsed.data;
}

/** Its first reasons: a list of a million wrong things has a million, and writing them all down takes seconds. */
function describe({ issues }: z.ZodError): string {
  return z.prettifyError({ issues: issues.slice(0, MOST_REASONS) });
}
