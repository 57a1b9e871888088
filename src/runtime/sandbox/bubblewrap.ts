import { existsSync } from "node:fs";

import type { Launch } from "../../process/process.ts";
import type { Mount, Sandbox } from "./sandbox.ts";
import { planSystemCallFilter } from "./system-call-filter.ts";
import { planToolEnvironment } from "./tool-environment.ts";

/**
 * Parts of /proc that whoever is root outside may write to, without any capability: a new `core_pattern` is run as root,
 * outside. A mount that was made read-only outside cannot be changed or taken away inside.
 */
const READ_ONLY_PROC = ["sys", "sysrq-trigger", "irq", "bus", "fs", "mtrr"];

/** The descriptor of the first text: those before it give the options and the filter. */
const FIRST_TEXT = 5;
const NAMESPACES = ["user", "pid", "ipc", "uts"];

/**
 * The same program inside. It stays in our network, which is the environment's; its process group too, so that a signal to
 * that reaches it. The arguments go by a descriptor: the command line of a program is for everyone to read.
 */
export function enterBubblewrap(sandbox: Sandbox, launch: Launch): Launch {
  const filter = planSystemCallFilter(process.arch);
  const texts = sandbox.mounts.filter((mount) => mount.kind === "text");
  const options = [
    ...NAMESPACES.map((name) => `--unshare-${name}`),
    ...(sandbox.network === "none" ? ["--unshare-net"] : []),
    "--unshare-cgroup-try",
    "--hostname",
    sandbox.hostname,
    "--cap-drop",
    "ALL",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    ...READ_ONLY_PROC.flatMap((name) => ["--ro-bind-try", `/proc/${name}`, `/proc/${name}`]),
    ...sandbox.mounts.filter(isThere).flatMap(toOptions),
    ...texts.flatMap(({ to }, index) => ["--ro-bind-data", String(FIRST_TEXT + index), to]),
    "--remount-ro",
    "/",
    "--chdir",
    launch.folder,
    "--clearenv",
    ...Object.entries(launch.environment).flatMap(([name, value]) => ["--setenv", name, value]),
  ];
  return {
    ...launch,
    file: sandbox.program,
    args: ["--args", "3", "--seccomp", "4", "--", launch.file, ...launch.args],
    folder: "/",
    environment: planToolEnvironment(launch.environment),
    inputs: [options.join("\0"), filter, ...texts.map(({ text }) => text)],
  };
}

/** What its user cannot reach outside is not there inside either; bubblewrap would give up at it. */
function isThere(mount: Mount): boolean {
  return mount.kind !== "read" || existsSync(mount.from);
}

function toOptions(mount: Mount): readonly string[] {
  if (mount.kind === "text") return [];
  if (mount.kind === "link") return ["--symlink", mount.target, mount.to];
  return [mount.kind === "read" ? "--ro-bind" : "--bind", mount.from, mount.to];
}
