import { z } from "zod";

import { inputInvalid } from "./problems.ts";
import type { Session } from "./session.ts";

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
  if (!parsed.success) throw inputInvalid(z.prettifyError(parsed.error));
  return parsed.data;
}
