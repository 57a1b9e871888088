import { Problem } from "../base/problem.ts";
import { runProgram } from "../process/process.ts";
import type { ProgramResult } from "../process/process.ts";
import { storageFailed, storageToolMissing } from "./problems.ts";

/** What we run, and the Debian package that has it. */
const PACKAGES = {
  "mkfs.xfs": "xfsprogs",
  xfs_growfs: "xfsprogs",
  fallocate: "util-linux",
  losetup: "mount",
  mount: "mount",
  umount: "mount",
  sync: "coreutils",
  cp: "coreutils",
  du: "coreutils",
  find: "findutils",
  diff: "diffutils",
} as const;
export type Tool = keyof typeof PACKAGES;

/** A large home on a slow disk is copied within this. */
const LIMIT_MS = 12 * 60 * 60_000;
const MAX_OUTPUT_BYTES = 512 * 1024 * 1024;
const ENVIRONMENT = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };

export type ToolOptions = { readonly folder?: string; readonly signal?: AbortSignal };

/** Whatever its exit code. @throws `storage_tool_missing`, or the signal's reason */
export async function tryTool(
  tool: Tool,
  args: readonly string[],
  { folder = "/", signal }: ToolOptions = {},
): Promise<ProgramResult> {
  const launch = { file: tool, args, folder, environment: ENVIRONMENT, user: null };
  const limits = { timeoutMs: LIMIT_MS, maxOutputBytes: MAX_OUTPUT_BYTES };
  try {
    return await runProgram(launch, { ...limits, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    const isMissing = error instanceof Problem && error.code === "program_missing";
    throw isMissing ? storageToolMissing(tool, PACKAGES[tool]) : error;
  }
}

/** Resolves with what it printed. @throws `storage_failed` with `doing`, such as `be mounted` */
export async function runStorageTool(
  doing: string,
  [tool, ...args]: readonly [tool: Tool, ...args: string[]],
  options: ToolOptions = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await tryTool(tool, args, options);
  if (exitCode !== 0) throw storageFailed(doing, stderr === "" ? stdout : stderr);
  return stdout;
}

/** @throws `storage_tool_missing` for the first that is not there. */
export async function requireTools(): Promise<void> {
  for (const tool of ["mkfs.xfs", "xfs_growfs"] as const) await tryTool(tool, ["-V"]);
  for (const tool of ["fallocate", "losetup", "mount", "umount", "diff", "find"] as const)
    await tryTool(tool, ["--version"]);
}
