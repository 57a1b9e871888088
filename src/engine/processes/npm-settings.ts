import { readFile } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../../base/problem.ts";

/** What says where packages come from and how they are fetched. Whatever is not named here stays outside. */
const KEPT = new Set([
  "registry",
  "replace-registry-host",
  "strict-ssl",
  "fetch-retries",
  "fetch-timeout",
  "maxsockets",
  "omit-lockfile-registry-resolved",
  "engine-strict",
  "legacy-peer-deps",
  "install-strategy",
  "audit",
  "fund",
  "update-notifier",
]);
const SCOPE = /^@[\w.-]+:registry$/;
/** A file of settings is far shorter. */
const MAX_CHARACTERS = 64 * 1024;

/** What a person's own settings of npm say that is no secret, for those who do not see his folder. */
export async function readNpmSettings(
  home: string,
  inherited: Readonly<Record<string, string>>,
): Promise<string> {
  const file = inherited["npm_config_userconfig"] ?? path.join(home, ".npmrc");
  try {
    return keepPlainSettings((await readFile(file, "utf8")).slice(0, MAX_CHARACTERS));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES", "EISDIR", "ELOOP")) return "";
    throw error;
  }
}

/** Lines with these keys alone, without an address that holds a password. */
export function keepPlainSettings(text: string): string {
  const lines = text.split(/\r?\n/).flatMap((line) => {
    const [, key = "", value = ""] = /^\s*([^\s=#;[]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    const isPlain = (KEPT.has(key) || SCOPE.test(key)) && !/:\/\/[^/]*@/.test(value);
    return isPlain ? [`${key}=${value}\n`] : [];
  });
  return lines.join("");
}
