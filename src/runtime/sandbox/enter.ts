import { constants } from "node:os";

import type { Exit, Launch, PipedProgram, TalkingProgram } from "../../process/process.ts";
import { startPiped, startTalking } from "../../process/process.ts";
import { enterBubblewrap } from "./bubblewrap.ts";
import type { Sandbox } from "./sandbox.ts";
import { enterUnshare } from "./unshare.ts";

/** Whoever waits for a process that was ended by a signal, and has to exit itself, adds this to the signal's number. */
const SIGNALLED = 128;

/** The same program, where it sees nothing but the sandbox; null: as it is. */
export function enterSandbox(sandbox: Sandbox | null, launch: Launch): Launch {
  if (sandbox === null) return launch;
  return sandbox.tool === "bubblewrap"
    ? enterBubblewrap(sandbox, launch)
    : enterUnshare(sandbox, launch);
}

/** Starts it so, and tells its end as if it had run outside. */
export async function startPipedIn(sandbox: Sandbox | null, launch: Launch): Promise<PipedProgram> {
  const program = await startPiped(enterSandbox(sandbox, launch));
  return sandbox === null ? program : { ...program, exited: program.exited.then(explainExit) };
}

/** The same of one that is spoken to. */
export async function startTalkingIn(
  sandbox: Sandbox | null,
  launch: Launch,
): Promise<TalkingProgram> {
  return startTalking(enterSandbox(sandbox, launch));
}

function explainExit(exit: Exit): Exit {
  const number = (exit.exitCode ?? 0) - SIGNALLED;
  const signal = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return signal === undefined ? exit : { exitCode: null, signal };
}
