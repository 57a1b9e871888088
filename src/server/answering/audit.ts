import { z } from "zod";

import type { AuditEntry } from "../../access/access.ts";
import { isoTime } from "../../base/clock.ts";
import type { Clock } from "../../base/clock.ts";
import type { CallName } from "../../protocol/calls.ts";
import type { Caller } from "../session/caller.ts";

/** Of an input, what may be written down: names alone. Whatever else it holds may be a secret. */
const named = z.object({
  app: z.string().nullish(),
  environment: z.string().nullish(),
  name: z.string().nullish(),
  user: z.string().nullish(),
  id: z.string().nullish(),
  names: z.array(z.string()).nullish(),
  variables: z.array(z.object({ name: z.string() })).nullish(),
});
const MOST_CHARACTERS = 200;

/** A call as it is written down. */
export function describeWrite(
  call: {
    readonly name: CallName | "database.tunnel";
    readonly input: unknown;
    readonly outcome: string;
  },
  { caller, clock }: { readonly caller: Caller; readonly clock: Clock },
): AuditEntry {
  const about = named.safeParse(call.input).data ?? {};
  // The name that a call gives is an environment's where it is made, and a user's where they are.
  const isMade = call.name === "environment.create";
  return {
    time: isoTime(clock),
    ...describeCaller(caller),
    call: call.name,
    app: cut(about.app),
    environment: cut(isMade ? about.name : about.environment),
    subject: cut(listSubjects(isMade ? { ...about, name: null } : about).join(" ")),
    outcome: call.outcome,
  };
}

function describeCaller(caller: Caller): Pick<AuditEntry, "user" | "token" | "address"> {
  if (caller.kind === "owner") return { user: null, token: null, address: null };
  const { user, id: token } = caller.grant.token;
  return { user, token, address: caller.address };
}

function listSubjects({
  name,
  user,
  id,
  names,
  variables,
}: z.infer<typeof named>): readonly string[] {
  const set = (variables ?? []).map((variable) => variable.name);
  return [name, user, id, ...(names ?? []), ...set].filter((one) => typeof one === "string");
}

function cut(text: string | null | undefined): string | null {
  return text === undefined || text === null || text === "" ? null : text.slice(0, MOST_CHARACTERS);
}
