import type { Mount } from "./sandbox.ts";

/** Programs and libraries of macOS, and what every program asks of the system; nothing of a person's. */
const SYSTEM = ["/System", "/Library/Apple", "/private/var/db/dyld", "/opt/homebrew"];
const DEVICES = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/tty"];

/**
 * The same sandbox as macOS takes it (`sandbox-exec -p`), as far as it goes: what a list names is seen at its own path, no
 * process outside is signalled, and the network stays the machine's. The last rule that fits is the one that holds, as
 * later mounts lie upon earlier ones. Written from Apple's own profiles and not yet run on a Mac: nothing uses it there.
 */
export function planSeatbeltProfile(mounts: readonly Mount[]): string {
  return [
    "(version 1)",
    "(deny default)",
    '(import "system.sb")',
    "(allow process-exec process-fork)",
    "(allow signal process-info* (target same-sandbox))",
    "(allow sysctl-read mach-lookup network*)",
    // Programs walk the folders above what they open; names and sizes are seen, contents are not.
    "(allow file-read-metadata)",
    `(allow file-read* (literal "/") ${SYSTEM.map(below).join(" ")})`,
    `(allow file-read* file-write-data ${DEVICES.map(exactly).join(" ")})`,
    ...mounts.flatMap(planRules),
    "",
  ].join("\n");
}

/** What is no place of the machine, such as a file of ours, cannot be shown so. */
function planRules(mount: Mount): readonly string[] {
  if (mount.kind === "link" || mount.kind === "text") return [];
  const place = below(mount.from);
  if (mount.kind === "write") return [`(allow file-read* file-write* ${place})`];
  return [`(allow file-read* ${place})`, `(deny file-write* ${place})`];
}

function below(path: string): string {
  return `(subpath ${quote(path)})`;
}

function exactly(path: string): string {
  return `(literal ${quote(path)})`;
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
