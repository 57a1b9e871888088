const MAX_DEPTH = 64;
const MAX_NAME_BYTES = 255;
const MAX_PATH_BYTES = 4_000;
/** Characters that some disk, shell or terminal takes for something else; the last stands for bytes that are no UTF-8. */
const FORBIDDEN = /[\0\\\u{FFFD}]/u;

/** Whether this can be the name of something in a tree, and of nothing else. */
export function isPlainName(name: string): boolean {
  return (
    name !== "" &&
    name !== "." &&
    name !== ".." &&
    !name.includes("/") &&
    !FORBIDDEN.test(name) &&
    Buffer.byteLength(name) <= MAX_NAME_BYTES
  );
}

/** Whether it leads to something inside of a tree, whatever sent it; an empty folder's has a slash at its end. */
export function isPlainPath(path: string): boolean {
  const parts = path.replace(/\/$/, "").split("/");
  return (
    parts.length <= MAX_DEPTH &&
    Buffer.byteLength(path) <= MAX_PATH_BYTES &&
    parts.every(isPlainName)
  );
}

/** Whether a link at `path` leads to something inside of its tree, as its words say. */
export function leadsInside(path: string, target: string): boolean {
  if (target === "" || target.startsWith("/") || FORBIDDEN.test(target)) return false;
  let depth = path.split("/").length - 1;
  for (const part of target.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return false;
  }
  return true;
}

/** The folder of a path and its name in it; without `node:path`, which costs more here than many a system call. */
export function splitPath(path: string): { readonly parent: string; readonly name: string } {
  const at = path.lastIndexOf("/");
  return { parent: path.slice(0, Math.max(0, at)), name: path.slice(at + 1) };
}
