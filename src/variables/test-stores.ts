/** For tests: stores of variables in a folder of their own. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { removeInside } from "../base/remove-inside.ts";
import { type EnvironmentId, isEnvironmentId } from "../environment/environment.ts";
import type { VariableStore } from "./variables.ts";

export type Stores = {
  readonly folder: string;
  /** That of an environment whose id is made of this letter. */
  readonly of: (name: string, letter?: string) => VariableStore;
  close(): Promise<void>;
};

export async function openStores(): Promise<Stores> {
  const folder = await mkdtemp(path.join(tmpdir(), "ramet-variables-"));
  return {
    folder,
    of: (name, letter = "a") => ({
      file: path.join(folder, `${name}.json`),
      id: parseId(letter.repeat(16)),
      keys: path.join(folder, "keys"),
    }),
    close: async () => removeInside(tmpdir(), folder),
  };
}

function parseId(text: string): EnvironmentId {
  if (isEnvironmentId(text)) return text;
  throw new Error(`${text} is no id.`);
}
