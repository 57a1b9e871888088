import type { EnvironmentRecord } from "../../environment/environment.ts";
import { LOCK_FILES } from "../../environment/lock-files.ts";
import { hashFiles, takeFolders } from "../../files/files.ts";
import { findSharedInstall } from "../../manifest/manifest.ts";
import { findProcessUser } from "../home/users.ts";
import type { EngineContext } from "../machine/context.ts";
import { splitInstall } from "./installed.ts";

/** What decides which packages are installed, and how, besides the command and the programs on the `PATH`. */
const DECIDING = [...LOCK_FILES, "package.json", ".npmrc", ".yarnrc", ".yarnrc.yml", ".nvmrc"];
const PACKAGES = "node_modules";

export type Setup = {
  readonly command: string;
  readonly run: (command: string) => Promise<void>;
  readonly signal: AbortSignal;
};

/**
 * Sets up an environment's tree. Where several of an app are set up at a time by the same lock file, their packages are
 * installed once; what is generated after that is each one's own.
 */
export async function runSetup(
  { layout, installs }: EngineContext,
  record: EnvironmentRecord,
  { command, run, signal }: Setup,
): Promise<{ detail: string }> {
  const { path: folder } = record.files;
  const parts = splitInstall(command);
  const shared = parts === undefined ? undefined : await findSharedInstall(folder, command);
  if (parts === undefined || shared === undefined) {
    await run(command);
    return { detail: "" };
  }
  const user = await findProcessUser(layout, record);
  const from = await installs.once({
    key: [record.app, parts.install, record.searchPath, await hashFiles(folder, DECIDING)].join(
      "|",
    ),
    by: { name: record.name, folder },
    install: async () => run(parts.install),
    take: async ({ folder: source }) =>
      takeFolders({ source, target: folder, name: PACKAGES, user }),
    signal,
  });
  const left = [...(from === null ? [] : shared.scripts), parts.rest].filter((one) => one !== "");
  for (const one of left) await run(one);
  return { detail: from === null ? "" : `packages of ${from.name}` };
}
