/** Of a Node program: the port that its code names, and the one that it is to listen on instead. */
export type PortMove = {
  readonly from: number;
  readonly to: number;
  /** The module that does it, loaded into the program and into all Node programs that it starts. */
  readonly preload: string;
};

/** An environment in which Node programs listen elsewhere; to other programs it says nothing. */
export function moveOwnPort(
  environment: Readonly<Record<string, string>>,
  { from, to, preload }: PortMove,
): Readonly<Record<string, string>> {
  const options = [environment["NODE_OPTIONS"] ?? "", `--require ${quote(preload)}`];
  return {
    ...environment,
    NODE_OPTIONS: options.join(" ").trim(),
    RAMET_OWN_PORT: `${from}:${to}`,
  };
}

/** As Node reads NODE_OPTIONS: a text with spaces stands in double quotes, where a backslash keeps the next character. */
function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, (character) => `\\${character}`)}"`;
}
