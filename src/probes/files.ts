import { linkSync, readFileSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import path from "node:path";

import { anyOf, type Probe } from "./probe.ts";
import {
  createsFile,
  listsFolder,
  listsOthers,
  opensToRead,
  opensToWrite,
  readCanary,
  requireTarget,
  takeBack,
} from "./reach.ts";
import { CANARY_FILE } from "./targets.ts";

const SYSTEM_FOLDERS = ["/", "/usr", "/usr/bin", "/etc", "/var", "/opt", "/srv", "/boot"];
const ROOTS_FOLDERS = ["/var/lib", "/var/log", "/var/spool", "/sys", "/sys/kernel"];
const START_FOLDERS = ["/etc/init.d", "/etc/systemd/system", "/etc/cron.d", "/etc/profile.d"];

export const FILES: readonly Probe[] = [
  {
    id: "neighbour-file",
    tries: "read a neighbour's file",
    expected: "not there",
    attempt: ({ neighbour }) => readCanary(path.join(neighbour.tree, CANARY_FILE)),
  },
  {
    id: "neighbour-file-by-dots",
    tries: "read it by way of its own tree and ..",
    expected: "not there",
    attempt: ({ own, neighbour }) =>
      // Not path.join, which would walk back by itself.
      readCanary(`${own.tree}/${path.relative(own.tree, neighbour.tree)}/${CANARY_FILE}`),
  },
  {
    id: "neighbour-file-by-link",
    tries: "read it through a symbolic link",
    expected: "the link leads nowhere",
    attempt: ({ own, neighbour }) => {
      const link = path.join(own.home, "ramet-probe-link");
      symlinkSync(path.join(neighbour.tree, CANARY_FILE), link);
      return undone(() => readCanary(link), link);
    },
  },
  {
    id: "neighbour-file-by-hard-link",
    tries: "make a hard link to it",
    expected: "not there",
    attempt: ({ own, neighbour }) => {
      const link = path.join(own.home, "ramet-probe-hard-link");
      linkSync(path.join(neighbour.tree, CANARY_FILE), link);
      return undone(() => readCanary(link), link);
    },
  },
  {
    id: "neighbour-folder",
    tries: "list a neighbour's files",
    expected: "not there",
    attempt: ({ neighbour }) => listsFolder(neighbour.tree, CANARY_FILE),
  },
  {
    id: "neighbour-write",
    tries: "put a file among a neighbour's",
    expected: "not there",
    attempt: ({ neighbour }) => createsFile(path.join(neighbour.tree, "ramet-probe")),
  },
  {
    id: "neighbour-move",
    tries: "move a neighbour's folder away",
    expected: "not there",
    attempt: ({ neighbour }) => {
      const away = `${neighbour.tree}.ramet-probe`;
      renameSync(neighbour.tree, away);
      takeBack(() => renameSync(away, neighbour.tree));
      return `moved ${neighbour.tree} and moved it back`;
    },
  },
  {
    id: "neighbour-logs",
    tries: "read what a neighbour printed",
    expected: "not there",
    attempt: ({ neighbour }) => readCanary(path.join(neighbour.logs, "web.jsonl")),
  },
  {
    id: "neighbour-variables",
    tries: "read a neighbour's variables",
    expected: "not there",
    attempt: ({ neighbour }) => readCanary(neighbour.variables),
  },
  {
    id: "neighbour-database-files",
    tries: "read the files of a neighbour's database",
    expected: "not there",
    attempt: ({ neighbour }) => opensToRead(path.join(neighbour.database, "PG_VERSION")),
  },
  {
    id: "own-logs",
    tries: "change what it has printed itself",
    expected: "not there",
    attempt: ({ own }) => listsFolder(own.logs),
  },
  {
    id: "own-git-hooks",
    tries: "change what git runs, or whose its folder is",
    expected: "read-only",
    attempt: ({ own }) => anyOf(own.guarded, (folder) => createsFile(`${folder}/ramet-probe`)),
  },
  {
    id: "same-owner",
    tries: "read a file of the person it runs as",
    expected: "not there",
    attempt: ({ witness }) => readCanary(path.join(witness.folder, CANARY_FILE)),
  },
  {
    id: "personal-files",
    tries: "open keys and settings in that person's home",
    expected: "not there",
    attempt: ({ machine }) => anyOf(machine.personal, opensToRead),
  },
  {
    id: "passwords",
    tries: "read the machine's passwords",
    expected: "not there",
    attempt: () => anyOf(["/etc/shadow", "/etc/gshadow", "/etc/sudoers"], opensToRead),
  },
  {
    id: "accounts",
    tries: "see who has an account",
    expected: "its own alone",
    attempt: () => {
      const accounts = readFileSync("/etc/passwd", "utf8").trim().split("\n");
      return accounts.length > 5 ? `saw ${accounts.length} accounts` : null;
    },
  },
  {
    id: "system-write",
    tries: "put a file among the system's",
    expected: "read-only",
    attempt: () => anyOf(SYSTEM_FOLDERS, (folder) => createsFile(path.join(folder, "ramet-probe"))),
  },
  {
    id: "system-change",
    tries: "change a program of the system",
    expected: "read-only",
    attempt: () => anyOf(["/usr/bin/env", "/bin/sh", "/usr/bin/perl"], opensToWrite),
  },
  {
    id: "start-files",
    tries: "see what the machine runs at its start",
    expected: "not there",
    attempt: () => anyOf(START_FOLDERS, (folder) => listsFolder(folder)),
  },
  {
    id: "machine-folders",
    tries: "see the machine's data, logs and devices",
    expected: "not there",
    attempt: ({ own }) =>
      anyOf(ROOTS_FOLDERS, (folder) => listsOthers(folder, [own.home, own.tree])),
  },
  {
    id: "machine-mounts",
    tries: "see how the machine's disks are mounted",
    expected: "its own mounts alone",
    attempt: () => {
      const root = readFileSync("/proc/self/mounts", "utf8")
        .split("\n")
        .find((line) => line.split(" ")[1] === "/");
      return root === undefined || / tmpfs /.test(root) ? null : `saw ${root.slice(0, 60)}`;
    },
  },
  {
    id: "inherited-descriptors",
    tries: "go out by a file or folder that was left open",
    expected: "none is open",
    attempt: () => {
      const open = INHERITED.find(
        (target) => target.startsWith("/") && !/^\/(dev|proc)\//.test(target),
      );
      return open === undefined ? null : `found ${open} open`;
    },
  },
  {
    id: "disks",
    tries: "open a disk past its files",
    expected: "no such device",
    attempt: ({ machine }) => anyOf(machine.disks, opensToRead),
  },
  {
    id: "guarded-folder",
    tries: "move away what git runs",
    expected: "busy",
    attempt: ({ own }) => {
      const [first] = own.guarded;
      const folder = requireTarget(first ?? null, "its files are not linked to a folder of git");
      renameSync(folder, `${folder}.ramet-probe`);
      takeBack(() => renameSync(`${folder}.ramet-probe`, folder));
      return `moved ${folder} and moved it back`;
    },
  },
];

/** As it was before this program opened anything. */
const INHERITED = Array.from({ length: 40 }, (_, index) => findOpen(index + 3));

function findOpen(descriptor: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    // Not open.
    return "";
  }
}

function undone(attempt: () => string | null, made: string): string | null {
  try {
    return attempt();
  } finally {
    takeBack(() => unlinkSync(made));
  }
}
