import { readFile } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../../base/problem.ts";

/** What says where packages come from and how they are fetched. Whatever is not named here stays outside. */
const KEPT = new Set(["index-url", "extra-index-url", "trusted-host", "timeout", "retries"]);
/** In folders that are not seen inside, or with a password. */
const UNFIT = /^file:|:\/\/[^/]*@/;
/** A file of settings is far shorter. */
const MAX_CHARACTERS = 64 * 1024;
const MACHINES = "/etc/pip.conf";
/** Below a person's folder; pip lets the later win. */
const OWN = [".pip/pip.conf", ".config/pip/pip.conf"];

/** What the machine's and a person's own settings of pip say that is no secret, as one file. */
export async function readPipSettings(home: string, machines = MACHINES): Promise<string> {
  const files = [machines, ...OWN.map((name) => path.join(home, name))];
  const texts = await Promise.all(files.map(readIfThere));
  return joinPipSettings(texts);
}

/** Each section and key once: pip refuses a file that names one twice. */
export function joinPipSettings(texts: readonly string[]): string {
  const sections = new Map<string, Map<string, string>>();
  for (const { section, key, words } of texts.flatMap(listSettings)) {
    const fit = words.filter((word) => !UNFIT.test(word));
    if (!KEPT.has(key) || fit.length === 0) continue;
    const known = sections.get(section) ?? new Map<string, string>();
    sections.set(section, known.set(key, fit.join(" ")));
  }
  return [...sections].map(formatSection).join("");
}

type Setting = { readonly section: string; readonly key: string; readonly words: string[] };

/** A value goes on in the lines below it that are set in. */
function listSettings(text: string): readonly Setting[] {
  const settings: Setting[] = [];
  let section = "global";
  for (const line of text.split(/\r?\n/)) {
    section = /^\[([\w-]+)\]/.exec(line)?.[1] ?? section;
    const [, key, value = ""] = /^([\w-]+)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined) settings.push({ section, key, words: wordsOf(value) });
    else if (/^\s+[^\s#;]/.test(line)) settings.at(-1)?.words.push(...wordsOf(line));
  }
  return settings;
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function formatSection([name, settings]: readonly [string, ReadonlyMap<string, string>]): string {
  return `[${name}]\n${[...settings].map(([key, value]) => `${key} = ${value}\n`).join("")}`;
}

async function readIfThere(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).slice(0, MAX_CHARACTERS);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES", "EISDIR", "ELOOP")) return "";
    throw error;
  }
}
