import { createHash } from "node:crypto";
import path from "node:path";

import { Problem } from "../../base/problem.ts";
import { runProgram } from "../../process/process.ts";
import { postgresUnusable } from "../place/problems.ts";
import { NEWEST_MAJOR, OLDEST_MAJOR, majorOf } from "../place/programs.ts";
import type { Programs } from "../place/programs.ts";

const LIMIT_MS = 10_000;
/** As root, databases run as users that nobody else is; this stands for any of them. */
const ANYBODY = { uid: 65_534, gid: 65_534 };

/** The PostgreSQL in a folder of the user's. @throws `postgres_unusable` */
export async function requireUserPrograms(bin: string): Promise<Programs> {
  if (!path.isAbsolute(bin)) throw postgresUnusable(bin, "it is no absolute path");
  const [text, ofInitdb] = [await askVersion(bin, "postgres"), await askVersion(bin, "initdb")];
  const version = /\(PostgreSQL\) (\d[\w.]*)/.exec(text)?.[1];
  if (version === undefined) throw postgresUnusable(bin, `its postgres says ${quote(text)}`);
  const major = majorOf(version);
  if (major < OLDEST_MAJOR || major > NEWEST_MAJOR)
    throw postgresUnusable(bin, `it is PostgreSQL ${version}`);
  if (!ofInitdb.includes(`(PostgreSQL) ${version}`))
    throw postgresUnusable(bin, `its initdb is another one's: ${quote(ofInitdb)}`);
  const build = createHash("sha256").update(`${bin}\n${text}`).digest("hex").slice(0, 12);
  return { version, major, bin, origin: "user", build };
}

async function askVersion(bin: string, program: string): Promise<string> {
  const launch = {
    file: path.join(bin, program),
    args: ["--version"],
    folder: "/",
    environment: { LC_ALL: "C" },
    user: process.getuid?.() === 0 ? ANYBODY : null,
  };
  try {
    const { exitCode, stdout, stderr } = await runProgram(launch, { timeoutMs: LIMIT_MS });
    if (exitCode === 0) return stdout.trim();
    throw postgresUnusable(bin, `its ${program} says ${quote(stderr.trim())}`);
  } catch (error) {
    const isOurs = error instanceof Problem && error.code.startsWith("program_");
    throw isOurs ? postgresUnusable(bin, error.message) : error;
  }
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
