/** What tools leave in `node_modules` for one folder's own use. */
const LITTER = new Set([".vite", ".vite-temp", ".cache"]);

/** Whether it is to be left out, or lies in what is. */
export function isLitter(name: string): boolean {
  const parts = name.split("/");
  return parts.some((part, index) => isLitterIn(parts[index - 1] ?? "", part));
}

/** The same of an entry, by the name of the folder that it lies in. */
export function isLitterIn(folder: string, name: string): boolean {
  return folder === "node_modules" && LITTER.has(name);
}
