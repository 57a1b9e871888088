import path from "node:path";

/** What an absolute link target into one of the roots is in the copy; undefined when it leads elsewhere. */
export function moveTarget(
  target: string,
  from: readonly string[],
  to: string,
): string | undefined {
  const root = from.find((candidate) => target === candidate || target.startsWith(`${candidate}/`));
  return root === undefined ? undefined : path.join(to, target.slice(root.length));
}
