import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

import type { Launch } from "../../process/process.ts";
import {
  findLasting,
  formatMountLine,
  listBelow,
  type Mounted,
  parseMountTable,
} from "./mount-table.ts";
import type { Mount, Sandbox } from "./sandbox.ts";
import { planSystemCallFilter } from "./system-call-filter.ts";
import { planToolEnvironment } from "./tool-environment.ts";

/** Where the new root is made: it is on every Linux, and nothing that is shown lies in it. */
const ROOT = "/sys";
/** The script: a command line is for everyone to read. */
const READ = 'eval "$(cat <&3)"';
const NAMESPACES = ["--user", "--map-root-user", "--mount", "--pid", "--fork", "--ipc", "--uts"];
const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"];
const DEVICE_LINKS = [
  ["/proc/self/fd", "/dev/fd"],
  ["/proc/self/fd/0", "/dev/stdin"],
  ["/proc/self/fd/1", "/dev/stdout"],
  ["/proc/self/fd/2", "/dev/stderr"],
  ["pts/ptmx", "/dev/ptmx"],
] as const;
/** As in bubblewrap.ts: whoever is root outside could write there without any capability. */
const READ_ONLY_PROC = ["sys", "sysrq-trigger", "irq", "bus", "fs", "mtrr"];

/** `prctl`, by which Perl has the kernel filter system calls; without Perl none are. */
const PRCTL: Readonly<Record<string, number>> = { x64: 157, arm64: 167 };

/**
 * The first process inside: takes the environment that was held back, runs the program, and tells how it ended. As such
 * it gets no signal that it does not ask for; those to its group reach the program as well.
 */
const INIT = [
  "environment=$(cat <&4)",
  "exec 4<&- 5<&0",
  "unset PATH LC_ALL",
  'eval "$environment"',
  "trap : TERM INT HUP",
  // What a shell starts behind it would read nothing.
  '"$@" <&5 5<&- &',
  "child=$!",
  "exec 5<&- </dev/null",
  'while wait "$child"; code=$?; kill -0 "$child" 2>/dev/null; do :; done',
  'exit "$code"',
].join("\n");

/** The same as with bubblewrap where that is not installed: by util-linux and a script, which comes by a descriptor. */
export function enterUnshare(sandbox: Sandbox, launch: Launch): Launch {
  const uid = launch.user?.uid ?? process.getuid?.() ?? 0;
  const gid = launch.user?.gid ?? process.getgid?.() ?? 0;
  const table = parseMountTable(readFileSync("/proc/self/mountinfo", "utf8"));
  const network = sandbox.network === "none" ? ["--net"] : [];
  return {
    ...launch,
    file: sandbox.program,
    args: [
      ...NAMESPACES,
      "--cgroup",
      ...network,
      "/bin/sh",
      "-c",
      READ,
      "sh",
      launch.file,
      ...launch.args,
    ],
    folder: "/",
    environment: planToolEnvironment(launch.environment),
    inputs: [
      planScript(sandbox, { folder: launch.folder, uid, gid, table }),
      formatExports(launch.environment),
    ],
  };
}

export type ScriptFacts = {
  readonly folder: string;
  readonly uid: number;
  readonly gid: number;
  readonly table: readonly Mounted[];
};

/** Makes the new root, moves into it, gives up all powers, and becomes `INIT`. */
export function planScript(sandbox: Sandbox, { folder, uid, gid, table }: ScriptFacts): string {
  const mounts = sandbox.mounts.filter(isThere);
  return [
    "set -e",
    "umask 022",
    `mount -t tmpfs -o mode=0755,nosuid,nodev none ${ROOT}`,
    ...planSkeleton(mounts),
    ...planTables(mounts, table),
    `hostname ${quote(sandbox.hostname)}`,
    `cd ${ROOT}`,
    "pivot_root . .old",
    "cd /",
    "umount -l /.old",
    "rm -d /.old",
    "mount -o remount,bind,ro /",
    `cd ${quote(folder)}`,
    "exec 3<&-",
    `set -- /bin/sh -c ${quote(INIT)} sh "$@"`,
    ...planFilter(),
    `exec unshare --user --map-user=${uid} --map-group=${gid} -- setpriv --bounding-set=-all --inh-caps=-all --no-new-privs -- "$@"`,
    "",
  ].join("\n");
}

/** What its user cannot reach outside is not there inside either. */
function isThere(mount: Mount): boolean {
  return (mount.kind !== "read" && mount.kind !== "write") || existsSync(mount.from);
}

/** All that is no mount, and places for what is. */
function planSkeleton(mounts: readonly Mount[]): readonly string[] {
  const outer = mounts.filter((mount, index) => !isCovered(mount.to, mounts.slice(0, index)));
  const folders = outer.map((mount) => (isFolder(mount) ? mount.to : path.dirname(mount.to)));
  const all = [...new Set(["/.old", "/proc", "/dev", ...folders])].toSorted();
  return [
    `mkdir -p ${all.map(inRoot).join(" ")}`,
    ...outer.flatMap((mount) => (isFolder(mount) ? [] : [planPlace(mount)])),
  ];
}

/** A link, a file with its text, or an empty one for another to be mounted upon. */
function planPlace(mount: Mount): string {
  if (mount.kind === "link") return `ln -s ${quote(mount.target)} ${inRoot(mount.to)}`;
  if (mount.kind === "text") return `printf %s ${quote(mount.text)} > ${inRoot(mount.to)}`;
  return `: > ${inRoot(mount.to)}`;
}

/** What lies upon a mount has its place made once that is there: there is a table before it, and one after. */
function planTables(mounts: readonly Mount[], table: readonly Mounted[]): readonly string[] {
  const lines: string[] = [];
  let rows: string[] = [...planSystemRows()];
  for (const [index, mount] of mounts.entries()) {
    if (!isFolder(mount) && isCovered(mount.to, mounts.slice(0, index))) {
      lines.push(...mountAll(rows), `[ -e ${inRoot(mount.to)} ] || ${planPlace(mount)}`);
      rows = [];
    }
    rows.push(...planRows(mount, table));
  }
  return [...lines, ...mountAll(rows), ...planDevices()];
}

function planSystemRows(): readonly string[] {
  const there = READ_ONLY_PROC.map((name) => `/proc/${name}`).filter((file) => existsSync(file));
  const options = ["nosuid", "noexec"];
  return [
    formatMountLine("proc", `${ROOT}/proc`, { kind: "proc", options: [...options, "nodev"] }),
    ...there.map((file) =>
      formatMountLine(ROOT + file, ROOT + file, {
        options: ["bind", "ro", ...options, "nodev"],
      }),
    ),
    formatMountLine("none", `${ROOT}/dev`, { kind: "tmpfs", options: ["mode=0755", ...options] }),
    formatMountLine("none", `${ROOT}/dev/shm`, {
      kind: "tmpfs",
      options: ["mode=1777", "nosuid", "nodev", "X-mount.mkdir"],
    }),
    formatMountLine("none", `${ROOT}/dev/pts`, {
      kind: "devpts",
      options: ["newinstance", "ptmxmode=0666", "mode=620", ...options, "X-mount.mkdir"],
    }),
  ];
}

function planRows(mount: Mount, table: readonly Mounted[]): readonly string[] {
  if (mount.kind === "link" || mount.kind === "text") return [];
  const { kind, from, to } = mount;
  const row = (source: string, target: string): string => {
    const own = kind === "read" ? ["ro"] : [];
    const options = new Set(["nosuid", "nodev", ...own, ...findLasting(table, source)]);
    const make = isFolder(mount) ? ["X-mount.mkdir"] : [];
    return formatMountLine(source, ROOT + target, { options: ["rbind", ...options, ...make] });
  };
  const below = listBelow(table, from).filter((at) => existsSync(at));
  return [row(from, to), ...below.map((at) => row(at, to + at.slice(from.length)))];
}

function mountAll(rows: readonly string[]): readonly string[] {
  if (rows.length === 0) return [];
  const file = `${ROOT}/.table`;
  return [
    `printf %s ${quote(`${rows.join("\n")}\n`)} > ${file}`,
    `mount --all --fstab ${file}`,
    `rm ${file}`,
  ];
}

function planDevices(): readonly string[] {
  const devices = DEVICES.filter((name) => existsSync(`/dev/${name}`));
  const rows = devices.map((name) =>
    formatMountLine(`/dev/${name}`, `${ROOT}/dev/${name}`, { options: ["bind"] }),
  );
  return [
    ...devices.map((name) => `: > ${ROOT}/dev/${name}`),
    ...mountAll(rows),
    ...DEVICE_LINKS.map(([target, to]) => `ln -s ${target} ${ROOT}${to}`),
  ];
}

function planFilter(): readonly string[] {
  const { [process.arch]: prctl } = PRCTL;
  if (prctl === undefined) return [];
  const filter = Buffer.from(planSystemCallFilter(process.arch)).toString("hex");
  const program = [
    'my $filter = pack("H*", shift)',
    'my $program = pack("SxxxxxxP", length($filter) / 8, $filter)',
    `syscall(${prctl}, 38, 1, 0, 0, 0) == 0 && syscall(${prctl}, 22, 2, $program) == 0 or exit 126`,
    "exec { $ARGV[0] } @ARGV",
  ].join("; ");
  const before = `perl -e ${quote(program)} ${filter}`;
  return [`if command -v perl > /dev/null; then set -- ${before} "$@"; fi`];
}

/** For `INIT`: nothing that runs before it acts upon what an app's variables say. */
function formatExports(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .filter(([name]) => /^[A-Za-z_]\w*$/.test(name))
    .map(([name, value]) => `export ${name}=${quote(value)}\n`)
    .join("");
}

function isCovered(to: string, before: readonly Mount[]): boolean {
  return before.some(
    (mount) => isFolder(mount) && (to === mount.to || to.startsWith(`${mount.to}/`)),
  );
}

function isFolder(mount: Mount): boolean {
  if (mount.kind === "link" || mount.kind === "text") return false;
  return statSync(mount.from, { throwIfNoEntry: false })?.isDirectory() === true;
}

function inRoot(to: string): string {
  return quote(ROOT + to);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
