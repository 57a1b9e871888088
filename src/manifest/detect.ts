import type { ProcessManifest } from "../environment/manifest.ts";
import { hasDependencies, type PackageFile } from "./package-file.ts";
import { findPackageManager, type PackageManager } from "./package-manager.ts";
import { DEFAULT_READY } from "./ramet-file.ts";
import { isReloading } from "./reloading.ts";
import { findPortFlags } from "./script-tool.ts";

/** How an app is run by what its `package.json` says. */
export type Detected = {
  readonly script: string;
  readonly setup: string | null;
  readonly processes: Readonly<Record<string, ProcessManifest>>;
};

/** The script `dev`, else `start`, as the process `web`; undefined when there is neither. */
export async function detectApp(folder: string, file: PackageFile): Promise<Detected | undefined> {
  const script = ["dev", "start"].find((name) => (file.scripts?.[name] ?? "").trim() !== "");
  if (script === undefined) return undefined;
  const manager = await findPackageManager(folder, file);
  const web: ProcessManifest = {
    command: commandOf(script, file.scripts?.[script] ?? "", manager),
    port: true,
    ownPort: null,
    ready: DEFAULT_READY,
    folder: ".",
    reloads: isReloading(`npm run ${script}`, file),
  };
  return { script, setup: hasDependencies(file) ? manager.install : null, processes: { web } };
}

/** npm keeps a script's flags for itself unless they follow `--`; the others pass them on. */
function commandOf(name: string, script: string, manager: PackageManager): string {
  const flags = findPortFlags(script);
  const run = `${manager.name} run ${name}`;
  if (flags === null) return run;
  return manager.name === "npm" ? `${run} -- ${flags}` : `${run} ${flags}`;
}
