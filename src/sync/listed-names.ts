import type { Listed } from "./disk.ts";

/** What a folder lists. */
export type Listing = { readonly folder: string; readonly all: readonly Listed[] };

export function joinPath(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** As rules are asked about it: a folder has a slash at its end. */
export function nameIn(folder: string, { name, kind }: Listed): string {
  return `${joinPath(folder, name)}${kind === "folder" ? "/" : ""}`;
}

/** What the rules are asked about a folder that is a repository. */
export function repositoryName({ folder, all }: Listing): readonly string[] {
  return folder !== "" && all.some(({ name }) => name === ".git") ? [`${folder}/.git`] : [];
}
