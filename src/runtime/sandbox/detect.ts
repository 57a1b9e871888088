import { access, constants, readFile } from "node:fs/promises";
import path from "node:path";

import type { ProcessUser } from "../../process/process.ts";
import { runProgram } from "../../process/process.ts";
import { enterSandbox } from "./enter.ts";
import { enterOwnNetwork } from "./own-network.ts";
import type { Sandbox, SandboxTool } from "./sandbox.ts";
import { SEARCH_PATH } from "./search-path.ts";
import { isFilterKnown } from "./system-call-filter.ts";
import { planSystemMounts } from "./system-folders.ts";

/** How processes of one user can be kept apart on this machine; `why` not, and how it could be had. */
export type Isolation =
  | {
      readonly kind: "isolated";
      readonly tool: SandboxTool;
      readonly program: string;
      /** Whether the kernel refuses calls that no app needs. */
      readonly hasFilter: boolean;
    }
  | {
      readonly kind: "ports";
      readonly why: string;
      readonly remedy: string;
      /** Of AppArmor, to be installed; where it is that which stands in the way. */
      readonly profile?: string;
    };

const PROFILE_FILE = "/etc/apparmor.d/ramet";
/** The two programs may make user namespaces; what they may do else is what anybody may. */
const PROFILE = [
  "abi <abi/4.0>,",
  "include <tunables/global>",
  "profile ramet-bwrap /usr/bin/bwrap flags=(unconfined) { userns, }",
  "profile ramet-unshare /usr/bin/unshare flags=(unconfined) { userns, }",
].join("\n");

/** The first makes the sandbox. */
const TOOL_PROGRAMS: Readonly<Record<SandboxTool, readonly string[]>> = {
  bubblewrap: ["bwrap"],
  unshare: ["unshare", "mount", "umount", "pivot_root", "hostname"],
};
/** Make the network of its own. */
const NETWORK_PROGRAMS = ["unshare", "setpriv", "ip"];

const TRIAL_MS = 10_000;
const RESTRICTION = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";

/** The best way that works: tried, as that user, since what a kernel or a policy forbids shows in no list. */
export async function detectIsolation(user: ProcessUser | null): Promise<Isolation> {
  const best = await tryTool("bubblewrap", user);
  if (best.kind === "isolated") return best;
  const other = await tryTool("unshare", user);
  // To install the best would be of no use where a policy stands in the way of both.
  return other.kind === "isolated" || other.profile !== undefined ? other : best;
}

export async function tryTool(tool: SandboxTool, user: ProcessUser | null): Promise<Isolation> {
  if (process.platform !== "linux") return unavailable("this system is not Linux", NO_REMEDY);
  const names = [...TOOL_PROGRAMS[tool], ...NETWORK_PROGRAMS];
  const [program, ...others] = await Promise.all(names.map(findProgram));
  const lacking = [program, ...others].indexOf(undefined);
  if (program === undefined || lacking !== -1) return missing(names[lacking] ?? tool);
  const failure = await tryOut({ tool, program }, user);
  if (failure !== undefined) return explain(failure);
  const hasFilter = tool === "bubblewrap" || (await findProgram("perl")) !== undefined;
  return { kind: "isolated", tool, program, hasFilter: hasFilter && isFilterKnown(process.arch) };
}

async function tryOut(
  { tool, program }: Pick<Sandbox, "tool" | "program">,
  user: ProcessUser | null,
): Promise<string | undefined> {
  const sandbox = { tool, program, hostname: "trial", mounts: await planSystemMounts() };
  const launch = {
    file: "/bin/sh",
    args: ["-c", "test -e /proc/self && ! test -e /root"],
    folder: "/",
    environment: { PATH: SEARCH_PATH, LC_ALL: "C" },
    user,
  };
  const isRoot = (user?.uid ?? process.getuid?.()) === 0;
  const inside = enterOwnNetwork(enterSandbox(sandbox, launch), isRoot);
  const { exitCode, stderr } = await runProgram(inside, { timeoutMs: TRIAL_MS });
  return exitCode === 0 ? undefined : (stderr.trim().split("\n")[0] ?? "");
}

async function explain(failure: string): Promise<Isolation> {
  // A kernel without AppArmor has no such file.
  const restricted = await readFile(RESTRICTION, "utf8").catch(() => "0");
  if (restricted.trim() === "1") {
    const remedy = `Write the profile that \`ramet doctor\` prints to ${PROFILE_FILE}, then \`sudo apparmor_parser -r ${PROFILE_FILE}\`.`;
    return {
      kind: "ports",
      why: "AppArmor keeps user namespaces from programs",
      remedy,
      profile: PROFILE,
    };
  }
  return unavailable(
    `a sandbox could not be made here: ${failure}`,
    "Allow user namespaces: `sudo sysctl user.max_user_namespaces=10000`, and `kernel.unprivileged_userns_clone=1` where it is known.",
  );
}

function missing(name: string): Isolation {
  const packages: Readonly<Record<string, string>> = {
    bwrap: "bubblewrap",
    ip: "iproute2",
    mount: "mount",
    umount: "mount",
    hostname: "hostname",
  };
  const wanted = packages[name] ?? "util-linux";
  return unavailable(
    `the program ${name} is not installed`,
    `Install it, such as with \`sudo apt install ${wanted}\`, then start the environment again.`,
  );
}

function unavailable(why: string, remedy: string): Isolation {
  return { kind: "ports", why, remedy };
}

const NO_REMEDY = "On Linux processes are sealed off.";

async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of SEARCH_PATH.split(":")) {
    const file = path.join(folder, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    // Not there, or not ours to run: the next folder may have it.
    return false;
  }
}
