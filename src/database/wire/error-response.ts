import type { ProblemFields } from "../../base/problem.ts";

export type FatalError = {
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
};

/** PostgreSQL's answer to a wrong name or password: whether a user exists is not told. */
export function unknownUser(user: string): FatalError {
  return { code: "28P01", message: `password authentication failed for user "${user}"` };
}

export function cannotConnectNow({ message, remedy }: ProblemFields): FatalError {
  return { code: "57P03", message, hint: remedy };
}

export function protocolViolation(message: string): FatalError {
  return { code: "08P01", message };
}

/** A message of type `E`: fields of one letter and a text, each ended by a zero byte. */
export function formatFatal({ code, message, hint }: FatalError): Buffer {
  const fields: [string, string][] = [
    ["S", "FATAL"],
    ["V", "FATAL"],
    ["C", code],
    ["M", message],
    ...(hint === undefined ? [] : [["H", hint] satisfies [string, string]]),
  ];
  const text = fields.map(([type, value]) => `${type}${value.replaceAll("\0", "")}\0`).join("");
  const body = Buffer.from(`${text}\0`, "utf8");
  const head = Buffer.alloc(5);
  head.write("E", 0, "latin1");
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
