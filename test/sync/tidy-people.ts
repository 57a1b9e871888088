/** People who edit both sides of real disks and never meet: what each of them did last is what both sides come to hold. */
import {
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

import { hasErrorCode } from "../../src/base/problem.ts";

type Random = () => number;
type Sides = { readonly local: string; readonly remote: string };
type Side = keyof Sides;

/** Of each side, in folders of ten: a small app's. */
const FILES = 200;
const IN_FOLDER = 10;
const MOST_BYTES = 20_000;
const FOLDER = "edited";
const BOTH = ["local", "remote"] as const;

export class TidyPeople {
  readonly #sides: Sides;
  readonly #random: Random;
  #edits = 0;

  constructor(sides: Sides, random: Random) {
    this.#sides = sides;
    this.#random = random;
    for (const side of BOTH)
      for (let index = 0; index < FILES; index += 1) this.#write(side, index);
  }

  get edits(): number {
    return this.#edits;
  }

  /** One edit on either side: a file is written over, saved as editors do, or removed and made again, or gets another name and its own back. */
  act(): void {
    const side = this.#random() < 0.7 ? "local" : "remote";
    const index = Math.floor(this.#random() * FILES);
    const acts = [this.#write, this.#write, this.#save, this.#remove, this.#rename];
    acts[Math.floor(this.#random() * acts.length)]?.(side, index);
    this.#edits += 1;
  }

  /** Names of files that one side has otherwise than the other. */
  findDiffering(): readonly string[] {
    const [local, remote] = BOTH.map((side) => readAll(path.join(this.#sides[side], FOLDER)));
    const names = new Set([...(local?.keys() ?? []), ...(remote?.keys() ?? [])]);
    return [...names].filter((name) => local?.get(name) !== remote?.get(name));
  }

  readonly #write = (side: Side, index: number): void => {
    const file = this.#placeOf(side, index);
    writeFileSync(file, this.#newText());
    giveToOwner(this.#sides[side], file);
  };

  readonly #save = (side: Side, index: number): void => {
    const file = this.#placeOf(side, index);
    const fresh = `${file}.new`;
    writeFileSync(fresh, this.#newText());
    giveToOwner(this.#sides[side], fresh);
    renameSync(fresh, file);
  };

  readonly #remove = (side: Side, index: number): void => {
    const file = this.#placeOf(side, index);
    if (isDone(() => rmSync(file))) return;
    this.#write(side, index);
  };

  readonly #rename = (side: Side, index: number): void => {
    const file = this.#placeOf(side, index);
    if (isDone(() => renameSync(file, `${file}.moved`))) return;
    isDone(() => renameSync(`${file}.moved`, file));
  };

  #placeOf(side: Side, index: number): string {
    const root = this.#sides[side];
    const name = `${FOLDER}/${side}-${Math.trunc(index / IN_FOLDER)}`;
    const folder = path.join(root, name);
    if (mkdirSync(folder, { recursive: true }) !== undefined)
      for (const one of [path.join(root, FOLDER), folder]) giveToOwner(root, one);
    return path.join(folder, `${index}.ts`);
  }

  #newText(): string {
    const line = `export const edit = ${this.#edits}; // ${this.#random()}\n`;
    return line.repeat(Math.ceil((this.#random() * MOST_BYTES) / line.length));
  }
}

/** As whoever owns the tree would have made it. */
function giveToOwner(root: string, file: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(root);
  chownSync(file, uid, gid);
}

/** False: nothing of that name is there. */
function isDone(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return false;
    throw error;
  }
}

function readAll(folder: string): ReadonlyMap<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => path.join(parentPath, name))
      .map((file) => [path.relative(folder, file), readFileSync(file, "utf8")]),
  );
}
