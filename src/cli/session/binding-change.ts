import { constants } from "node:fs";
import { access } from "node:fs/promises";
import path from "node:path";

import { waitFor } from "../../base/clock.ts";
import { hasErrorCode, Problem } from "../../base/problem.ts";
import type { EnvironmentView } from "../../protocol/schemas.ts";
import { bindWorkspace, findWorkspace, unbindWorkspace } from "../../workspace/workspace.ts";
import { fileUnwritable } from "../terminal/problems.ts";
import { environmentOfOtherFolder } from "./problems.ts";
import type { Session } from "./session.ts";

/** A step that is asked to end has two seconds, and is then made to. */
const STOP_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 50;

type Target = { readonly app: string; readonly environment: string };

/** Binds the session's workspace to an environment. @throws `environment_of_other_folder` */
export async function bindTo(environment: EnvironmentView, session: Session): Promise<void> {
  const { root } = await session.workspace();
  const { app, name, files } = environment;
  // A path of another machine says nothing about this one's folders.
  const isHere = !session.isAfar && (await isWorkspaceOf(files.path, root));
  if (files.kind === "linked" && !isHere) {
    throw environmentOfOtherFolder(`${app}/${name}`, files.path);
  }
  const home = session.placeId;
  await bindWorkspace(root, { app, environment: name, id: environment.id, home });
}

/**
 * Makes an environment and binds the session's workspace to it. One that was made and then failed to be set up is there
 * to be looked into: it is bound as well, before its problem is thrown.
 */
export async function createAndBind<Made extends EnvironmentView>(
  session: Session,
  { app, name, create }: { app: string; name: string; create: () => Promise<Made> },
): Promise<Made> {
  await assertWritable((await session.workspace()).root);
  try {
    const made = await create();
    await bindTo(made, session);
    return made;
  } catch (error) {
    if (error instanceof Problem) await bindToBroken(session, { app, name, code: error.code });
    else if (session.context.signal?.aborted === true)
      await bindToInterrupted(session.afterStop(2 * STOP_LIMIT_MS), { app, environment: name });
    throw error;
  }
}

/** Before anything is made: the binding is a file below the folder. @throws `file_unwritable` */
async function assertWritable(root: string): Promise<void> {
  try {
    await access(root, constants.W_OK);
  } catch (error) {
    if (hasErrorCode(error, "EACCES", "EROFS", "EPERM"))
      throw fileUnwritable(path.join(root, ".ramet"));
    throw error;
  }
}

async function bindToBroken(
  session: Session,
  { app, name, code }: { app: string; name: string; code: string },
): Promise<void> {
  try {
    const made = await session.call("environment.show", { app, environment: name });
    const isIt = made.state === "broken" && made.problems.some((problem) => problem.code === code);
    if (isIt) await bindTo(made, session);
  } catch (error) {
    // Nothing was made: the problem that is about to be thrown says why.
    if (!(error instanceof Problem)) throw error;
  }
}

/**
 * The person stopped it, and the server may take a moment to notice: either nothing is left then, or an environment whose
 * preparation was interrupted, which can be gone on with.
 */
async function bindToInterrupted(session: Session, target: Target): Promise<void> {
  const look = async (): Promise<EnvironmentView | null | undefined> => {
    const made = await findEnvironment(session, target);
    return made?.state === "creating" ? undefined : (made ?? null);
  };
  const limits = { timeoutMs: STOP_LIMIT_MS, everyMs: LOOK_EVERY_MS };
  const made = await waitFor(look, limits);
  const problem = made?.problems.find(({ code }) => code === "preparation_interrupted");
  if (!made || problem === undefined) return;
  await bindTo(made, session);
  session.note(`${problem.message} ${problem.remedy}`);
}

async function findEnvironment(
  session: Session,
  target: Target,
): Promise<EnvironmentView | undefined> {
  try {
    return await session.call("environment.show", target);
  } catch (error) {
    // There is none, or nobody to ask: it was stopped all the same.
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

/** Removes a folder's binding to an environment that is gone; one to anything else stays. */
export async function unbindFrom(
  folder: string,
  gone: { readonly app: string; readonly names: readonly string[]; readonly home: string },
): Promise<void> {
  try {
    const { root, binding } = await findWorkspace(folder);
    const isBound = binding?.app === gone.app && binding.home === gone.home;
    if (isBound && gone.names.includes(binding.environment)) await unbindWorkspace(root);
  } catch (error) {
    // The environment is gone either way; a folder that went first, or a broken binding, is no reason to fail.
    if (!(error instanceof Problem)) throw error;
  }
}

/** An app may be a folder of its repository: the workspace around it is bound. */
async function isWorkspaceOf(folder: string, root: string): Promise<boolean> {
  try {
    return (await findWorkspace(folder)).root === root;
  } catch (error) {
    // What is no folder any more is nobody's workspace; a binding that cannot be read is about to be replaced.
    if (error instanceof Problem) return error.code === "binding_invalid";
    throw error;
  }
}
