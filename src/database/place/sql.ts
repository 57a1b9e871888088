import { escapeIdentifier, escapeLiteral } from "pg";

/** A name as it stands in SQL, quoted. The only place where names enter SQL. */
export function quoteName(name: string): string {
  return escapeIdentifier(withoutNul(name));
}

/** A text as it stands in SQL, quoted. */
export function quoteText(text: string): string {
  return escapeLiteral(withoutNul(text));
}

function withoutNul(text: string): string {
  if (text.includes("\0")) throw new Error("A text with a NUL byte cannot stand in SQL.");
  return text;
}
