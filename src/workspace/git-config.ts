/** Values by `section.key` or `section.subsection.key`; the last one of a key, as git takes it. */
export type GitConfig = ReadonlyMap<string, string>;

const SECTION = /^\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]\s*(.*)$/;
const ENTRY = /^([A-Za-z][\w-]*)\s*(?:=\s*(.*)|[#;].*)?$/;

/**
 * Reads the text of one `config` file, without its includes: what `git clone`, `git init` and `git worktree`
 * write is there, and starting git for it would cost more than all the rest.
 */
export function parseGitConfig(text: string): GitConfig {
  const values = new Map<string, string>();
  let section = "";
  for (const raw of text.replace(/\\\r?\n/g, "").split("\n")) {
    const header = SECTION.exec(raw.trim());
    if (header !== null) section = formatSection(header[1] ?? "", header[2]);
    const entry = ENTRY.exec(header === null ? raw.trim() : (header[3] ?? ""));
    if (entry === null) continue;
    values.set(`${section}.${(entry[1] ?? "").toLowerCase()}`, parseValue(entry[2] ?? "true"));
  }
  return values;
}

function formatSection(name: string, subsection: string | undefined): string {
  const section = name.toLowerCase();
  return subsection === undefined ? section : `${section}.${subsection.replace(/\\(.)/g, "$1")}`;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", b: "\b" };

/** Quotes are taken off, escapes resolved; a comment outside quotes ends it, and the spaces before that go. */
function parseValue(raw: string): string {
  let text = "";
  let kept = 0;
  let isQuoted = false;
  for (const [part] of raw.matchAll(/\\.|[^]/g)) {
    if (!isQuoted && (part === "#" || part === ";")) break;
    if (part === '"') isQuoted = !isQuoted;
    else text += resolveEscape(part);
    if (isQuoted || part.trim() !== "") kept = text.length;
  }
  return text.slice(0, kept);
}

function resolveEscape(part: string): string {
  return part.length === 1 ? part : (ESCAPES[part.slice(1)] ?? part.slice(1));
}
