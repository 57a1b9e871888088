import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";

import { anyOf, NotApplicable, type Probe, Refused } from "./probe.ts";
import { listsFolder, opensToRead, opensToWrite, takeBack } from "./reach.ts";
import { callSystem, numberOf } from "./system-call.ts";

const SETTINGS = [
  "/proc/sys/kernel/core_pattern",
  "/proc/sys/kernel/modprobe",
  "/proc/sys/vm/overcommit_memory",
];
const DEVICES = [
  "/dev/mem",
  "/dev/kmem",
  "/dev/port",
  "/dev/kmsg",
  "/dev/kvm",
  "/dev/fuse",
  "/dev/net/tun",
];
const LIMITS = "memory.max pids.max cpu.max cgroup.procs memory.limit_in_bytes pids.max tasks";

export const KERNEL: readonly Probe[] = [
  {
    id: "capabilities",
    tries: "use a power of root's",
    expected: "it has none",
    attempt: () => {
      const powers = readStatus("CapEff");
      return /^0+$/.test(powers) ? null : `has ${powers}`;
    },
  },
  {
    id: "setuid",
    tries: "gain powers by a program that gives them (setuid)",
    expected: "none gives any",
    attempt: () => (readStatus("NoNewPrivs") === "1" ? null : "such a program would give them"),
  },
  {
    id: "settings",
    tries: "change settings of the kernel",
    expected: "read-only",
    attempt: () => anyOf(SETTINGS, opensToWrite),
  },
  {
    id: "restart",
    tries: "restart the machine (sysrq)",
    expected: "read-only",
    attempt: () => opensToWrite("/proc/sysrq-trigger"),
  },
  {
    id: "modules",
    tries: "load code into the kernel",
    expected: "not permitted",
    attempt: () => callSystem("init_module", '"", 0, ""'),
  },
  {
    id: "another-kernel",
    tries: "start another kernel",
    expected: "not permitted",
    attempt: () => callSystem("kexec_load", "0, 0, 0, 0xffff"),
  },
  {
    id: "kernel-log",
    tries: "read the kernel's log",
    expected: "not permitted",
    attempt: () => callSystem("syslog", "10, 0, 0"),
  },
  {
    id: "performance",
    tries: "watch what all processors do",
    expected: "not permitted",
    attempt: () =>
      callSystem("perf_event_open", "$a, -1, 0, -1, 0", {
        before: 'my $a = pack("LLQ", 1, 112, 0) . ("\\0" x 96)',
      }),
  },
  {
    id: "kernel-programs",
    tries: "run a program in the kernel (bpf)",
    expected: "not permitted",
    attempt: () =>
      callSystem("bpf", "0, $a, 72", { before: 'my $a = pack("LLLL", 2, 4, 4, 1) . ("\\0" x 56)' }),
  },
  {
    id: "file-by-number",
    tries: "open a file by its number, past all folders",
    expected: "not permitted",
    attempt: () =>
      callSystem("open_by_handle_at", "fileno($f), $h, 0", {
        before: 'sysopen(my $f, "/", 0); my $h = pack("LL", 8, 1) . ("\\0" x 8)',
      }),
  },
  {
    id: "devices",
    tries: "open devices of the machine",
    expected: "no such device",
    attempt: () => anyOf(DEVICES, opensToRead),
  },
  {
    id: "make-device",
    tries: "make a device that is the machine's disk",
    expected: "not permitted",
    attempt: ({ own }) => {
      const file = path.join(own.home, "ramet-probe-device");
      const after = `unlink("${file}")`;
      return callSystem("mknodat", `-100, "${file}", 0060600, 0x0800`, { after });
    },
  },
  {
    id: "mount",
    tries: "mount something",
    expected: "not permitted",
    attempt: ({ own }) => inFolder(own.home, (folder) => mountUpon(folder)),
  },
  {
    id: "uncover",
    tries: "take a mount away in a namespace that it makes",
    expected: "not permitted",
    attempt: () =>
      anyOf(
        [
          "umount /usr",
          "umount /proc/sys",
          "mount -o remount,bind,rw /usr && : > /usr/x && rm /usr/x",
        ],
        (command) => inNamespace(`${command} && echo done`),
      ),
  },
  {
    id: "machine-name-change",
    tries: "change the machine's name",
    expected: "not permitted",
    attempt: () => callSystem("sethostname", `"${hostname()}", ${hostname().length}`),
  },
  {
    id: "machine-name-see",
    tries: "see the machine's name",
    expected: "its own",
    attempt: ({ machine }) => (hostname() === machine.hostname ? `saw ${hostname()}` : null),
  },
  {
    id: "control-groups",
    tries: "see the control groups of others",
    expected: "not there",
    attempt: () => listsFolder("/sys/fs/cgroup"),
  },
  {
    id: "own-group",
    tries: "leave its own control group, or bound it anew",
    expected: "not there",
    attempt: ({ machine }) => {
      if (machine.groups.length === 0) throw new NotApplicable("the machine gives none");
      const files = ["cgroup.procs", ...LIMITS.split(" ")];
      return anyOf(
        machine.groups.flatMap((folder) => files.map((file) => path.join(folder, file))),
        opensToWrite,
      );
    },
  },
  {
    id: "limits",
    tries: "raise its own limits in a namespace that it makes",
    expected: "not permitted",
    attempt: ({ own }) =>
      inFolder(own.home, (folder) =>
        anyOf(["cgroup2", "cgroup -o memory", "cgroup -o pids"], (kind) =>
          inNamespace(
            `mount -t ${kind} none ${folder} && for f in ${LIMITS}; do test -w ${folder}/$f && echo $f; done`,
          ),
        ),
      ),
  },
];

function readStatus(name: string): string {
  const line = new RegExp(`^${name}:\\s+(\\S+)$`, "m").exec(
    readFileSync("/proc/self/status", "utf8"),
  );
  if (line?.[1] === undefined) throw new NotApplicable(`the kernel does not tell ${name}`);
  return line[1];
}

function mountUpon(folder: string): string {
  const after = `call(${numberOf("umount2") ?? 0}, "${folder}", 0)`;
  return callSystem("mount", `"none", "${folder}", "tmpfs", 0, ""`, { after });
}

async function inFolder(
  above: string,
  attempt: (folder: string) => Promise<string | null> | string,
): Promise<string | null> {
  const folder = path.join(above, `ramet-probe-${process.pid}`);
  mkdirSync(folder);
  try {
    return await attempt(folder);
  } finally {
    takeBack(() => rmdirSync(folder));
  }
}

/** Where it is root of what it makes. */
function inNamespace(command: string): string | null {
  const args = ["--user", "--map-root-user", "--mount", "--cgroup", "sh", "-c", command];
  const { error, status, stdout, stderr } = spawnSync("unshare", args, {
    encoding: "utf8",
    timeout: 5_000,
  });
  if (error !== undefined) throw new NotApplicable("the program unshare is not here");
  if (stdout.trim() !== "")
    return `${command.split(" &&")[0]}: ${stdout.trim().replaceAll("\n", ", ")}`;
  throw new Refused(status === 0 ? "no effect" : firstLine(stderr));
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0]?.slice(0, 100) ?? "";
}
