/** The texts of a program: its first file, then those that it imports. */
export type Code = readonly string[];

const ENVIRONMENT = /\benv\b|\bconfig(?:Service)?\.get\b|\bargv\b/i;
const MAX_STATEMENT = 2000;

/** The port on which a program listens, whatever it is told; undefined when it takes one, or none can be seen. */
export function findOwnPort(code: Code): number | undefined {
  const texts = code.map(stripComments);
  for (const text of texts) {
    const found = listPortExpressions(text);
    const [first] = found;
    if (first !== undefined) return evaluate(first, texts);
  }
  const [main = ""] = texts;
  if (/\.listen\s*\(/.test(main)) return undefined;
  return evaluate("PORT", [main]) ?? findDefaultOfHono(main);
}

/** Whether anything in it waits for connections. */
export function isListening(code: Code): boolean {
  return code.some((text) =>
    /\.listen\s*\(|\bserve\s*\(|\bcreateServer\s*\(|\bexport\s+default\s*\{[^}]*\bfetch\b/.test(
      stripComments(text),
    ),
  );
}

/** What stands where a listen or a serve names its port, in the order of the text. */
function listPortExpressions(text: string): readonly string[] {
  const calls = [...text.matchAll(/(?:\.listen|\bserve|\bServer)\s*\(|\bexport\s+default\s*\{/g)];
  return calls.flatMap((call) => {
    const rest = text.slice(call.index + call[0].length, call.index + MAX_STATEMENT);
    const isListen = call[0].startsWith(".listen");
    const inside = untilClosed(rest);
    const [first = ""] = splitArguments(inside);
    if (isListen && !first.trim().startsWith("{")) return first.trim() === "" ? [] : [first.trim()];
    const named = findProperty(inside);
    return named === undefined ? [] : [named];
  });
}

/** The text up to the bracket that closes what is open before it. */
function untilClosed(text: string): string {
  let depth = 0;
  for (const { 0: bracket, index } of text.matchAll(/[([{}\])]/g)) {
    depth += "([{".includes(bracket) ? 1 : -1;
    if (depth < 0) return text.slice(0, index);
  }
  return text;
}

function splitArguments(text: string): readonly string[] {
  const parts = [""];
  let depth = 0;
  for (const character of text) {
    if ("([{".includes(character)) depth += 1;
    else if (")]}".includes(character)) depth -= 1;
    if (character === "," && depth === 0) parts.push("");
    else parts.push(`${parts.pop() ?? ""}${character}`);
  }
  return parts;
}

/** The value of `port` in an object, which its short form `{ port }` names as well. */
function findProperty(text: string): string | undefined {
  const [, value] = /(?:^|[{,\s])port\s*:\s*([^]*)/.exec(text) ?? [];
  if (value !== undefined) return (splitArguments(untilClosed(value))[0] ?? "").trim();
  return /[{,]\s*port\s*[,}]/.test(`${text}}`) ? "port" : undefined;
}

function evaluate(expression: string, texts: readonly string[]): number | undefined {
  if (ENVIRONMENT.test(expression)) return undefined;
  const direct = parsePort(expression);
  if (direct !== undefined) return direct;
  const [, name] = /^(?:\w+\.)*([A-Za-z_$][\w$]*)$/.exec(expression) ?? [];
  if (name === undefined) return undefined;
  for (const text of texts) {
    const value = findValue(name, text);
    if (value !== undefined) return ENVIRONMENT.test(value) ? undefined : parsePort(value);
  }
  return undefined;
}

/** What a name is given where it is declared, or as a property of an object. */
function findValue(name: string, text: string): string | undefined {
  const escaped = name.replaceAll("$", String.raw`\$`);
  const declared = new RegExp(
    String.raw`\b(?:const|let|var)\s+${escaped}\b\s*(?::\s*[\w |]+)?=\s*([^;\n]+)`,
  );
  const property = new RegExp(String.raw`(?:^|[{,\s])${escaped}\s*:\s*([^,}\n]+)`);
  const [, value] = declared.exec(text) ?? property.exec(text) ?? [];
  return value?.trim();
}

function parsePort(text: string): number | undefined {
  const [, digits] =
    /^(?:Number\()?["']?(\d{1,5})["']?\)?(?:\s+as\s+\w+)?$/.exec(text.trim()) ?? [];
  const port = Number(digits);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** Hono's server for Node listens on 3000 where its call names no port. */
function findDefaultOfHono(text: string): number | undefined {
  return /["']@hono\/node-server["']/.test(text) && /\bserve\s*\(/.test(text) ? 3000 : undefined;
}

/** A `//` behind a colon is an address, no comment. */
function stripComments(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\//g, " ").replaceAll(/(^|[^:"'`\\])\/\/[^\n]*/g, "$1");
}
