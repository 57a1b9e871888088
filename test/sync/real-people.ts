/** People who work on both sides of real disks, and what became of what they wrote. */
import {
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";

import { sleep } from "../../src/base/clock.ts";
import { hasErrorCode } from "../../src/base/problem.ts";
import { exchangeFiles } from "../../src/sync/disk/exchange-files.ts";

/** Few, so that they meet: files where others have folders among them. */
const PATHS = ["a", "b", "c", "d/a", "d/b", "d/e/f", "g/h", "g/i/j/k"];
const SIDES = ["local", "remote"] as const;
/** What a person works with lies in a folder that is never transferred. */
const ASIDE = "node_modules";
const BETWEEN_ACTS_MS = 2;

type Random = () => number;

export class RealPeople {
  /** What they wrote; and of that, what somebody overwrote or removed where it was to be seen. */
  readonly written = new Set<string>();
  readonly #discarded = new Set<string>();
  readonly #folders: Readonly<Record<(typeof SIDES)[number], string>>;

  constructor(folders: Readonly<Record<(typeof SIDES)[number], string>>) {
    this.#folders = folders;
    for (const side of SIDES) makeFolder(folders[side], ASIDE);
  }

  /** They do one thing after another for so long. */
  async workFor(ms: number, random: Random): Promise<void> {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      await this.#act(random);
      await sleep(random() * BETWEEN_ACTS_MS);
    }
  }

  /** What stands at each path of both sides. */
  read(): readonly { readonly path: string; readonly local: string; readonly remote: string }[] {
    return PATHS.map((name) => ({
      path: name,
      local: readIfThere(path.join(this.#folders.local, name)),
      remote: readIfThere(path.join(this.#folders.remote, name)),
    }));
  }

  /** What nobody overwrote or removed, and is nowhere any more. @param stores where what was displaced is kept */
  findLost(stores: readonly string[]): readonly string[] {
    const folders = [...Object.values(this.#folders), ...stores];
    const kept = new Set(folders.flatMap(collect));
    return [...this.written].filter((text) => !this.#discarded.has(text) && !kept.has(text));
  }

  async #act(random: Random): Promise<void> {
    const side = this.#folders[random() < 0.5 ? "local" : "remote"];
    const name = PATHS[Math.floor(random() * PATHS.length)] ?? "a";
    const acts = [this.#save, this.#save, this.#overwrite, this.#overwrite, this.#remove];
    try {
      await acts[Math.floor(random() * acts.length)]?.(side, name);
    } catch (error) {
      // The folder was just removed, or a file stands where it was.
      if (!hasErrorCode(error, "ENOENT", "ENOTDIR", "EEXIST", "EISDIR", "ENOTEMPTY")) throw error;
    }
  }

  /** As editors do it, but that what is overwritten is seen: another file takes its place. */
  readonly #save = async (side: string, name: string): Promise<void> => {
    const [file, aside] = [path.join(side, name), path.join(side, ASIDE, "saved")];
    makeFolder(side, path.dirname(name));
    const text = this.#newText();
    writeFileSync(aside, text);
    giveToOwner(side, aside);
    try {
      const isThere = exchangeFiles(aside, file) === "done";
      if (isThere) this.#discarded.add(readFileSync(aside, "utf8"));
      else linkSync(aside, file);
    } catch (error) {
      // Something came to stand there in that instant: it was not saved at all.
      this.#discarded.add(text);
      throw error;
    } finally {
      rmSync(aside, { force: true });
    }
  };

  /** As programs do it: emptied, and filled a while later. */
  readonly #overwrite = async (side: string, name: string): Promise<void> => {
    const descriptor = openSync(path.join(side, name), "r+");
    try {
      this.#discarded.add(readFileSync(descriptor, "utf8"));
      ftruncateSync(descriptor);
      await sleep(1);
      writeSync(descriptor, this.#newText(), 0);
    } finally {
      closeSync(descriptor);
    }
  };

  readonly #remove = async (side: string, name: string): Promise<void> => {
    const aside = path.join(side, ASIDE, "removed");
    renameSync(path.join(side, name), aside);
    this.#discarded.add(readFileSync(aside, "utf8"));
    rmSync(aside);
  };

  #newText(): string {
    const text = `text ${this.written.size}`;
    this.written.add(text);
    return text;
  }
}

/** As whoever owns the tree would make it. */
function makeFolder(side: string, name: string): void {
  const folder = path.join(side, name);
  const first = mkdirSync(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = path.dirname(made))
    giveToOwner(side, made);
}

function giveToOwner(side: string, file: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(side);
  chownSync(file, uid, gid);
}

function collect(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return files
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(path.join(parentPath, name), "utf8"));
}

/** "-" for what is no file. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EISDIR")) return "-";
    throw error;
  }
}
