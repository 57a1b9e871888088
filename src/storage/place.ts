import { realpath } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../base/problem.ts";

/** A home, as far as its storage is concerned. */
export type StoragePlace = {
  /** The home itself. */
  readonly home: string;
  /** What is recorded of its storage. */
  readonly record: string;
  /** Holds the image, and what it is filled through. */
  readonly folder: string;
  readonly image: string;
  readonly filling: string;
  /** The environments' folders: what the image is mounted on. */
  readonly data: string;
  /** Those folders as they were before the image, until they are cleared. */
  readonly before: string;
  /** The same as they will be without it. */
  readonly after: string;
};

/** `shared`: the folder that holds `data`; the home, or where its link `shared` leads. */
export function placeIn(home: string, shared: string): StoragePlace {
  const folder = path.join(shared, "storage");
  return {
    home,
    record: path.join(home, "storage.json"),
    folder,
    image: path.join(folder, "image"),
    filling: path.join(folder, "filling"),
    data: path.join(shared, "data"),
    before: path.join(shared, "data.before"),
    after: path.join(shared, "data.after"),
  };
}

/** By what the home's server has made of it. */
export async function findPlace(home: string): Promise<StoragePlace> {
  try {
    return placeIn(home, await realpath(path.join(home, "shared")));
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT", "ENOTDIR")) throw error;
    return placeIn(home, home);
  }
}
