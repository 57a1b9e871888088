import { Problem } from "../../base/problem.ts";
import type { Transfer } from "../../protocol/schemas.ts";
import type { Session } from "./session.ts";
import { findWorkspaceFolder } from "./workspace-folder.ts";

type Direction = "push" | "pull";

/** Refused as something would go that may be wanted; all of it is kept where it goes all the same. */
const ASKED = new Set(["sync_conflict", "sync_emptied", "sync_removals"]);

/** Makes one side's files equal to the other's; whoever sits there is asked before something goes. @throws as `push` and `pull` do */
export async function transferFiles(
  session: Session,
  direction: Direction,
  force: boolean,
): Promise<Transfer> {
  try {
    return await transfer(session, direction, force);
  } catch (error) {
    if (!(error instanceof Problem) || !ASKED.has(error.code)) throw error;
    if (!(await isWanted(session, error))) throw error;
    return transfer(session, direction, true);
  }
}

async function transfer(session: Session, direction: Direction, force: boolean): Promise<Transfer> {
  const target = await session.target();
  const workspace = await findWorkspaceFolder(session, target.app);
  const question = { ...target, workspace, force };
  return session.isAfar
    ? (await import("./far-files.ts")).transferAfar(session, question, direction)
    : session.call(`files.${direction}`, question);
}

/** No, too, where nobody can be asked: then it is said how it is forced. */
async function isWanted(session: Session, { message }: Problem): Promise<boolean> {
  try {
    await session.confirm(`${message} What goes is kept: \`ramet trash list\` shows it.`);
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}
