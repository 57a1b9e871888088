/** A place where something is mounted on this machine, and how. */
export type Mounted = { readonly at: string; readonly options: readonly string[] };

/** What must not be lifted where it holds outside: the kernel would refuse all else as well. */
const LASTING = ["ro", "noexec"];

/** Of `/proc/self/mountinfo`. */
export function parseMountTable(text: string): readonly Mounted[] {
  return text.split("\n").flatMap((line) => {
    const [, , , , at, options] = line.split(" ");
    return at === undefined || options === undefined
      ? []
      : [{ at: unescape(at), options: options.split(",") }];
  });
}

/** Options that whatever is seen of this path has to keep. */
export function findLasting(table: readonly Mounted[], path: string): readonly string[] {
  const above = table.filter(({ at }) => isInside(path, at));
  // The last of those that lie deepest covers the others.
  const deepest = Math.max(...above.map(({ at }) => at.length));
  const options = above.findLast(({ at }) => at.length === deepest)?.options ?? [];
  return LASTING.filter((option) => options.includes(option));
}

/** What is mounted somewhere below it: a mount that makes it read-only leaves those as they are. */
export function listBelow(table: readonly Mounted[], path: string): readonly string[] {
  const below = table.map(({ at }) => at).filter((at) => at !== path && isInside(at, path));
  return [...new Set(below)].toSorted();
}

/** A line of a table as `mount --all` reads it. */
export function formatMountLine(
  from: string,
  to: string,
  { kind = "none", options }: { readonly kind?: string; readonly options: readonly string[] },
): string {
  return `${escape(from)} ${escape(to)} ${kind} ${options.join(",")} 0 0`;
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function escape(text: string): string {
  return text.replaceAll(
    /[ \t\n\\#]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}
