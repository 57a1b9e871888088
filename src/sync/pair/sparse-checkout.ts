import { listSkipped } from "../../files/files.ts";
import { stampSparse } from "./git-state.ts";

const NONE: ReadonlySet<string> = new Set();

/** What a sparse checkout leaves out of a workspace, each time it is wanted: git is asked again once it has changed anything. */
export function skippedOf(workspace: string): () => Promise<ReadonlySet<string>> {
  let known = { stamp: "", names: NONE };
  return async () => {
    const stamp = stampSparse(workspace);
    if (stamp === "") return NONE;
    if (stamp === undefined) return listSkipped(workspace);
    if (known.stamp !== stamp) known = { stamp, names: await listSkipped(workspace) };
    return known.names;
  };
}
