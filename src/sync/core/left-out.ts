/** Never transferred, on whichever side; on some disks the case of a name makes no difference. */
const LEFT_OUT = new Set([".git", ".ramet", "node_modules"]);
/** What a transfer that was killed in between has left. */
const TEMPORARY = /^\.ramet-[0-9a-f]{12}\.tmp$/;

/** Whether a file or folder of this name is no part of a tree, at whatever depth. */
export function isLeftOut(name: string): boolean {
  return LEFT_OUT.has(name.toLowerCase()) || TEMPORARY.test(name);
}
