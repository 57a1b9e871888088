import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, open, rm } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "./problem.ts";

/** Whether copies inside this folder can share their blocks: found by trying. */
export async function canReflink(folder: string): Promise<boolean> {
  const probe = path.join(folder, `.ramet-${randomBytes(6).toString("hex")}.tmp`);
  try {
    await writeProbe(probe);
    await copyFile(probe, `${probe}.copy`, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (hasErrorCode(error, "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EXDEV", "ENOTTY"))
      return false;
    throw error;
  } finally {
    await rm(probe, { force: true });
    await rm(`${probe}.copy`, { force: true });
  }
}

/** Not made durable: to wait for the disk would cost more than all the rest. */
async function writeProbe(file: string): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.appendFile("reflink?");
  } finally {
    await handle.close();
  }
}
