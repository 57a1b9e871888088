/** Where a text stops being JSON, and why: `JSON.parse` says it in words alone, and does not always say where. */
export type JsonFault = { readonly line: number; readonly column: number; readonly reason: string };

const MAX_DEPTH = 64;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** undefined: it is JSON, without a key that stands twice in one object. */
export function findJsonFault(text: string): JsonFault | undefined {
  try {
    new JsonScanner(text).scan();
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return { ...positionOf(text, error.at), reason: error.message };
    throw error;
  }
}

function positionOf(text: string, at: number): { line: number; column: number } {
  const lines = text.slice(0, at).split("\n");
  return { line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
}

class Fault extends Error {
  readonly at: number;

  constructor(at: number, reason: string) {
    super(reason);
    this.at = at;
  }
}

class JsonScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): void {
    this.#value(0);
    if (this.#next() !== "") throw this.#fault("something stands after its end");
  }

  #value(depth: number): void {
    if (depth > MAX_DEPTH) throw this.#fault("it is nested too deeply");
    const next = this.#next();
    if (next === "{") this.#object(depth);
    else if (next === "[") this.#array(depth);
    else if (next === '"') this.#string();
    else if (!this.#skip(NUMBER) && !this.#skip(WORD)) throw this.#unexpected("a value");
  }

  #object(depth: number): void {
    const keys = new Set<string>();
    this.#items("}", () => {
      if (this.#next() !== '"') throw this.#unexpected("a key in double quotes");
      const at = this.#at;
      const key = this.#string();
      if (keys.has(key)) throw new Fault(at, `the key ${key} stands here a second time`);
      if (key === '"__proto__"') throw new Fault(at, "__proto__ cannot be a key");
      keys.add(key);
      if (this.#next() !== ":") throw this.#unexpected("a colon");
      this.#at += 1;
      this.#value(depth + 1);
    });
  }

  #array(depth: number): void {
    this.#items("]", () => this.#value(depth + 1));
  }

  #items(end: "}" | "]", item: () => void): void {
    this.#at += 1;
    let next = this.#next();
    while (next !== end) {
      item();
      next = this.#next();
      if (next !== end && next !== ",") throw this.#unexpected(`a comma or ${end}`);
      if (next === ",") next = this.#afterComma(end);
    }
    this.#at += 1;
  }

  #afterComma(end: string): string {
    const comma = this.#at;
    this.#at += 1;
    const next = this.#next();
    if (next === end) throw new Fault(comma, `JSON has no comma before ${end}`);
    return next;
  }

  /** The string as it is written. */
  #string(): string {
    const start = this.#at;
    this.#at += 1;
    while (this.#text[this.#at] !== '"') {
      const character = this.#text[this.#at] ?? "\n";
      if (character < " ")
        throw new Fault(start, "the string that begins here does not end on its line");
      if (character !== "\\") this.#at += 1;
      else if (!this.#skip(ESCAPE))
        throw this.#fault("a backslash begins no escape of JSON's here");
    }
    this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  /** The next character that is no space, without passing it; empty at the end. */
  #next(): string {
    this.#skip(SPACE);
    return this.#text[this.#at] ?? "";
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const found = pattern.test(this.#text);
    if (found) this.#at = pattern.lastIndex;
    return found;
  }

  #unexpected(wanted: string): Fault {
    const found = this.#text[this.#at];
    if (found === undefined) return this.#fault(`it ends where ${wanted} is expected`);
    if (found === "/") return this.#fault("JSON has no comments");
    if (found === "'") return this.#fault(`${wanted} is expected; JSON has no single quotes`);
    return this.#fault(`${wanted} is expected, not ${JSON.stringify(found)}`);
  }

  #fault(reason: string): Fault {
    return new Fault(this.#at, reason);
  }
}
