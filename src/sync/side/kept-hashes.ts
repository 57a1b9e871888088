import { hasErrorCode } from "../../base/problem.ts";
import { type Disk, type Examined, inStore, type Seen } from "../disk/disk.ts";
import { readText } from "../disk/read-text.ts";

/** What was seen of a file that was read, and what it held. */
type Kept = readonly [
  version: string,
  bytes: string,
  size: number,
  executable: boolean,
  changedMs: number,
  hash: string,
];
type Read = Extract<Examined, { readonly kind: "file" }>;

/** Some disks count time in steps of so long: a change may hide behind the one before it. */
const RACY_MS = 2_000;
const FILE = inStore("hashes");

export type KeptHashesOptions = {
  readonly disk: Disk;
  /** Another after each start of the machine: a power cut may have torn what has the same time as before. */
  readonly boot: string;
  /** Who keeps them, among those who do at once. */
  readonly pair: string;
};

/** The hashes of a tree's files by the versions of which they are, from one command to the next. It is a cache: without it they are read. */
export class KeptHashes {
  readonly #options: KeptHashesOptions;
  readonly #noted = new Map<string, Kept>();
  #before: Map<string, Kept> | undefined;
  #isNew = false;

  constructor(options: KeptHashesOptions) {
    this.#options = options;
  }

  /** Of which it is known what they hold; null: none. */
  versionOf(path: string): string | null {
    this.#before ??= this.#read();
    return this.#before.get(path)?.[0] ?? null;
  }

  /** What a file holds that is of the version that is known. */
  recall(path: string): Read | undefined {
    const kept = this.#before?.get(path);
    if (kept === undefined) return undefined;
    this.#noted.set(path, kept);
    const [version, bytes, size, executable, changedMs, hash] = kept;
    const seen = { version, bytes, size, executable, changedMs, isExact: false } as const;
    return { kind: "file", hash, seen: { kind: "file", ...seen } };
  }

  note(path: string, { hash, seen }: Read, readAtMs: number): void {
    if (!isSure(seen, readAtMs)) return;
    const { version, bytes, size, executable, changedMs } = seen;
    this.#noted.set(path, [version, bytes, size, executable, changedMs, hash]);
    this.#isNew = true;
  }

  /** For the next command, if there is anything new. */
  save(): void {
    if (!this.#isNew) return;
    this.#isNew = false;
    const { disk, pair } = this.#options;
    const fresh = inStore(`${FILE.path}-${pair}`);
    try {
      disk.remove(fresh);
      disk.append(fresh, JSON.stringify([this.#of(), ...this.#noted]));
      disk.move(fresh, FILE);
    } catch (error) {
      // On a full disk they are read again.
      if (!hasErrorCode(error, "ENOSPC", "EDQUOT")) throw error;
      disk.remove(fresh);
    } finally {
      disk.rest();
    }
  }

  /** By hand: a schema takes as long as half of what is saved. */
  #read(): Map<string, Kept> {
    const [of, ...lines] = parseList(readText(this.#options.disk, FILE));
    return new Map(of === this.#of() ? lines.filter(isLine) : []);
  }

  #of(): string {
    return JSON.stringify([1, this.#options.disk.identify(), this.#options.boot]);
  }
}

/** Of what is none, or is torn, nothing. */
function parseList(text: string): readonly unknown[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function isLine(line: unknown): line is [path: string, kept: Kept] {
  return Array.isArray(line) && typeof line[0] === "string" && isKept(line[1]);
}

function isKept(kept: unknown): kept is Kept {
  const types = ["string", "string", "number", "boolean", "number", "string"];
  return Array.isArray(kept) && types.every((type, index) => typeof kept[index] === type);
}

function isSure(seen: Seen, readAtMs: number): boolean {
  return seen.isExact || readAtMs - seen.changedMs >= RACY_MS;
}
