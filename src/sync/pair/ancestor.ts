import { readFileSync } from "node:fs";

import { z } from "zod";

import type { Clock } from "../../base/clock.ts";
import { type Entry, isSameEntry } from "../core/tree.ts";
import { type Disk, inStore, type Place } from "../disk/disk.ts";
import { entrySchema } from "../disk/entry-schema.ts";
import { readText } from "../disk/read-text.ts";

const snapshotSchema = z.object({
  version: z.literal(2),
  epoch: z.string(),
  generation: z.number(),
  entries: z.array(z.tuple([z.string(), entrySchema])),
});
const headerSchema = z.object({ generation: z.number(), boot: z.string() });
const lineSchema = z.tuple([z.string(), entrySchema.nullable()]);

type Line = z.infer<typeof lineSchema>;

/** After so many lines the journal is put into a new snapshot. */
const MOST_LINES = 20_000;
/** A disk has written by then what it was given. */
const SETTLED_MS = 60_000;

export type AncestorOptions = {
  readonly disk: Disk;
  /** A folder of the store. */
  readonly folder: string;
  /** Which two folders they are: what others had in common says nothing about these. */
  readonly epoch: string;
  readonly clock: Clock;
  /** Another after each start of the machine. */
  readonly boot: string;
};

/**
 * The last state that both sides had in common: a snapshot, and a journal of what came since. Without one, or where it
 * is damaged, nothing is known to have been deleted or changed by one side alone. After a power cut files may be torn
 * that the journal has whole: what it says of those is forgotten, so that a torn one is a conflict and no change.
 */
export class Ancestor {
  readonly entries = new Map<string, Entry>();
  readonly #options: AncestorOptions;
  /** When each was last noted, while a power cut might still tear it. */
  readonly #recent = new Map<string, number>();
  #generation = 0;
  #lines = 0;
  #unsaved: Line[] = [];

  constructor(options: AncestorOptions) {
    this.#options = options;
    this.#read();
    options.disk.rest();
  }

  get epoch(): string {
    return this.#options.epoch;
  }

  set(path: string, entry: Entry | undefined): void {
    if (isSameEntry(this.entries.get(path), entry)) return;
    this.#note(path, entry);
    this.#recent.set(path, this.#options.clock.now());
    this.#unsaved.push([path, entry ?? null]);
  }

  /** Writes down what is new. */
  save(): void {
    if (this.#unsaved.length === 0) return;
    if (this.#generation === 0 || this.#lines + this.#unsaved.length > MOST_LINES) this.#compact();
    else this.#append(this.#unsaved);
    this.#unsaved = [];
    this.#options.disk.rest();
  }

  #note(path: string, entry: Entry | undefined): void {
    if (entry === undefined) this.entries.delete(path);
    else this.entries.set(path, entry);
  }

  #append(lines: readonly Line[]): void {
    const { disk, boot } = this.#options;
    const header = this.#lines === 0 ? toLine({ generation: this.#generation, boot }) : "";
    this.#lines += lines.length;
    disk.append(this.#place("journal"), `${header}${lines.map(toLine).join("")}`);
  }

  #compact(): void {
    const { disk, epoch, clock } = this.#options;
    this.#generation += 1;
    const snapshot = {
      version: 2,
      epoch,
      generation: this.#generation,
      entries: [...this.entries],
    };
    disk.remove(this.#place("snapshot.new"));
    disk.note(this.#place("snapshot.new"), JSON.stringify(snapshot));
    disk.move(this.#place("snapshot.new"), this.#place("snapshot"));
    disk.remove(this.#place("journal"));
    this.#lines = 0;
    const settled = clock.now() - SETTLED_MS;
    for (const [path, ms] of this.#recent) if (ms < settled) this.#recent.delete(path);
    const recent = [...this.#recent.keys()].map((path): Line => [
      path,
      this.entries.get(path) ?? null,
    ]);
    if (recent.length > 0) this.#append(recent);
  }

  #read(): void {
    const snapshot = parse(snapshotSchema, this.#text("snapshot"));
    if (snapshot === undefined) return;
    // Also of other folders: so that an older journal is never taken for the one of a new snapshot.
    this.#generation = snapshot.generation;
    if (snapshot.epoch !== this.#options.epoch) {
      this.#lines = Number.POSITIVE_INFINITY;
      return;
    }
    for (const [path, entry] of snapshot.entries) this.entries.set(path, entry);
    this.#readJournal();
  }

  #readJournal(): void {
    const [first = "", ...texts] = this.#text("journal").split("\n");
    const header = parse(headerSchema, first);
    const lines = header?.generation === this.#generation ? parseLines(texts) : [];
    const isSure = header?.boot === this.#options.boot;
    if (isSure) this.#takeUp(lines);
    else for (const [path] of lines) this.entries.delete(path);
    // One that is torn, or of another time, is put aside before anything is added to it.
    const isUsable = first === "" || (isSure && isWhole(lines, texts));
    this.#lines = isUsable ? lines.length : Number.POSITIVE_INFINITY;
  }

  #takeUp(lines: readonly Line[]): void {
    const notedMs = this.#options.disk.see(this.#place("journal"))?.changedMs ?? 0;
    for (const [path, entry] of lines) {
      this.#note(path, entry ?? undefined);
      this.#recent.set(path, notedMs);
    }
  }

  #text(name: string): string {
    return readText(this.#options.disk, this.#place(name));
  }

  #place(name: string): Place {
    return inStore(`${this.#options.folder}/${name}`);
  }
}

/** "" where the system has no name for it: then a power cut is not told from a restart of ours. */
export function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    // There is no such file on other systems.
    return "";
  }
}

function toLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** Each text is a line, and the last, which nothing follows, has its end. */
function isWhole(lines: readonly Line[], texts: readonly string[]): boolean {
  return lines.length > 0 && texts.length === lines.length + 1 && texts.at(-1) === "";
}

/** Up to the first that is torn. */
function parseLines(texts: readonly string[]): readonly Line[] {
  const lines: Line[] = [];
  for (const text of texts) {
    const line = parse(lineSchema, text);
    if (line === undefined) break;
    lines.push(line);
  }
  return lines;
}

function parse<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}
