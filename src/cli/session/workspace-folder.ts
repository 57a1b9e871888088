import path from "node:path";

import { Problem } from "../../base/problem.ts";
import { exists } from "../../base/remove-inside.ts";
import { DEVELOPMENT } from "../../environment/name.ts";
import type { AppName } from "../../environment/name.ts";
import { findWorkspace } from "../../workspace/workspace.ts";
import { appFolderMissing } from "./problems.ts";
import type { Session } from "./session.ts";

/**
 * The folder of this workspace that an app's files are in. An app that is a folder of its repository stands in the same
 * place in each worktree and clone; any other is the whole workspace. @throws `app_folder_missing`
 */
export async function findWorkspaceFolder(session: Session, app: AppName): Promise<string> {
  const { root, git } = await session.workspace();
  if (session.isAfar) return findAppFolder(session, root);
  const inner = git === null ? "" : await findInnerFolder(session, app);
  const folder = path.join(root, inner);
  if (inner !== "" && !(await exists(folder))) throw appFolderMissing(app, inner, root);
  return folder;
}

/** A server elsewhere cannot be asked where in this repository its app stands: the nearest manifest says it. */
async function findAppFolder(session: Session, root: string): Promise<string> {
  const { findAppFolder: find } = await import("../../manifest/manifest.ts");
  return find((await session.workspace()).folder, root);
}

/** Where in its repository the app stands: empty for the whole of it, or when that cannot be seen from here. */
async function findInnerFolder(session: Session, app: AppName): Promise<string> {
  const { files } = await session.call("environment.show", { app, environment: DEVELOPMENT });
  if (files.kind === "kept") return "";
  try {
    const { root, git } = await findWorkspace(files.path);
    return git === null ? "" : path.relative(root, files.path);
  } catch (error) {
    // Its folder is gone, or its binding cannot be read: whoever runs it says so.
    if (error instanceof Problem) return "";
    throw error;
  }
}
