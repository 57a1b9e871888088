import { existsSync, realpathSync } from "node:fs";
import { chown, lstat, mkdir } from "node:fs/promises";
import path from "node:path";

import type { EnvironmentId, EnvironmentRecord } from "../../environment/environment.ts";
import { MARK_VARIABLE } from "../../environment/places.ts";
import type { SystemUser } from "../../environment/places.ts";
import { runProgram } from "../../process/process.ts";
import type { TalkingProgram } from "../../process/process.ts";
import { planNarrowSandbox, startTalkingIn } from "../../runtime/runtime.ts";
import type { Sandbox } from "../../runtime/runtime.ts";
import { findUserIfThere } from "../home/users.ts";
import type { EngineContext } from "../machine/context.ts";

const SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin";
const GIVING_LIMIT_MS = 120_000;

/** Programs that work on environments' kept files, for whoever visits them; an environment may sleep meanwhile. */
export class Tenders {
  readonly #context: EngineContext;
  readonly #running = new Map<TalkingProgram, EnvironmentId>();

  constructor(context: EngineContext) {
    this.#context = context;
  }

  ids(): Iterable<EnvironmentId> {
    return this.#running.values();
  }

  /** null: this machine has none to offer. @throws `memory_short`, `program_failed` */
  async start(record: EnvironmentRecord): Promise<TalkingProgram | null> {
    const program = await startTender(this.#context, record);
    if (program === null) return null;
    this.#running.set(program, record.id);
    void program.exited.then(() => this.#running.delete(program));
    return program;
  }
}

/**
 * Starts a program that works on an environment's kept files for whoever visits them, as the environment's own user and
 * in a sandbox that holds nothing else: whatever its processes do to those files meanwhile, nobody who could do more than they follows.
 * null: this machine has neither for it. Its manifest, which those processes may write, has no say in it.
 */
async function startTender(
  context: EngineContext,
  record: EnvironmentRecord,
): Promise<TalkingProgram | null> {
  const { layout, admission, tenderProgram } = context;
  const user = await findUserIfThere(layout, record);
  const sandbox = await planTenderSandbox(context, record, user);
  const [file, ...args] = tenderProgram;
  if (file === undefined || (user === null && sandbox === null)) return null;
  await admission.enter(record.name);
  const store = layout.sync(record.files);
  await giveStore(store, user);
  const environment = {
    PATH: SEARCH_PATH,
    HOME: "/",
    // The home's own is for its owner alone. Whoever could write to this one could do all that the program can anyway.
    NODE_COMPILE_CACHE: path.join(store, "compiled"),
    [MARK_VARIABLE]: layout.tenderMark(record.id),
  };
  return startTalkingIn(sandbox, { file, args, folder: "/", environment, user });
}

async function planTenderSandbox(
  { isolation, tenderProgram }: EngineContext,
  { files, name }: EnvironmentRecord,
  user: SystemUser | null,
): Promise<Sandbox | null> {
  const given = await isolation(user);
  if (given.kind === "ports") return null;
  return planNarrowSandbox({
    ...given,
    hostname: name,
    readable: listProgramFolders(tenderProgram),
    writable: path.dirname(files.path),
  });
}

/** Node itself, our own package, and what npm has put beside or above it. */
function listProgramFolders(program: readonly string[]): readonly string[] {
  const [node = process.execPath, ...others] = program;
  const main = others.find((argument) => path.isAbsolute(argument));
  if (main === undefined) return [node];
  const folders = listUpwards(path.dirname(main));
  const root = folders.find((one) => existsSync(path.join(one, "package.json"))) ?? "";
  const modules = folders
    .map((one) => path.join(one, "node_modules"))
    .filter((one) => existsSync(one))
    // Some are links to where they are kept.
    .flatMap((one) => [one, realpathSync(one)]);
  const outside = modules.filter((one) => !one.startsWith(`${root}/`));
  return [node, ...new Set(outside.toReversed()), root === "" ? path.dirname(main) : root];
}

function listUpwards(folder: string): readonly string[] {
  const parent = path.dirname(folder);
  return parent === folder ? [] : [folder, ...listUpwards(parent)];
}

/** What the server itself put there, or made it for, belongs to the environment's user as well. */
async function giveStore(folder: string, user: SystemUser | null): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (user === null) return;
  if (made !== undefined) return chown(folder, user.uid, user.gid);
  if ((await lstat(folder)).uid === user.uid) return;
  const launch = {
    file: "chown",
    args: ["-R", "-h", `${user.uid}:${user.gid}`, folder],
    folder: "/",
    environment: { PATH: SEARCH_PATH },
    user: null,
  };
  await runProgram(launch, { timeoutMs: GIVING_LIMIT_MS });
}
