import { parseFields, parseNumber, parseText } from "../../base/parse-fields.ts";

/** What one connection to the dialer is for: the first line that it carries, as JSON. */
export type Errand =
  /** Answered by `CONNECTED` once the connection stands; from there on the bytes are the two sides' own. */
  | { readonly kind: "dial"; readonly host: string; readonly port: number }
  /** Never answered: for as long as one of these is open the dialer is needed. */
  | { readonly kind: "stay" }
  /** Answered by a line: whether there is such a name. */
  | { readonly kind: "resolve"; readonly host: string }
  /** A question to a name server, answered by a line; both in base 64. */
  | { readonly kind: "ask"; readonly message: string };

export const MAX_ERRAND_BYTES = 4_096;

/** @throws Error when it is none */
export function parseErrand(value: unknown): Errand {
  const fields = parseFields(value, "errand");
  switch (fields["kind"]) {
    case "dial":
      return {
        kind: "dial",
        host: parseText(fields["host"], "host"),
        port: parseNumber(fields["port"], "port"),
      };
    case "stay":
      return { kind: "stay" };
    case "resolve":
      return { kind: "resolve", host: parseText(fields["host"], "host") };
    case "ask":
      return { kind: "ask", message: parseText(fields["message"], "message") };
    default:
      throw new Error("Unknown errand.");
  }
}
