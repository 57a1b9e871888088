import { runProgram } from "../process/process.ts";
import { databaseFailed } from "./problems.ts";

/** A disk that takes longer than this for what is in memory is broken. */
const LIMIT_MS = 10 * 60_000;

/** Makes everything under a folder survive a power cut: its whole file system is flushed, in one go. */
export async function flush(folder: string): Promise<void> {
  const { exitCode, stderr } = await runProgram(
    {
      file: "sync",
      args: process.platform === "linux" ? ["-f", folder] : [],
      folder,
      environment: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C" },
      user: null,
    },
    { timeoutMs: LIMIT_MS },
  );
  if (exitCode !== 0) throw databaseFailed("reach the disk", [stderr.trim()]);
}
