/** What a program said that found another program on its port. */
export type TakenPort = {
  readonly line: string;
  /** null where it did not say which. */
  readonly port: number | null;
};

const IN_USE = /EADDRINUSE|\b(?:address|port)\b.{0,80}\bin use\b/i;
/** `:::3000`, `0.0.0.0:8000`, `port 5173`, `port: 3000`. */
const PORT = /(?::|\bport\s*:?\s*)(\d{2,5})\b/i;

export function findTakenPort(lines: readonly string[]): TakenPort | undefined {
  const line = lines.find((one) => IN_USE.test(one));
  if (line === undefined) return undefined;
  const port = PORT.exec(line)?.[1];
  return { line: line.trim(), port: port === undefined ? null : Number(port) };
}
