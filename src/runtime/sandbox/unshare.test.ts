import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { parseMountTable } from "./mount-table.ts";
import type { Mount } from "./sandbox.ts";
import { enterUnshare, planScript } from "./unshare.ts";

let folder: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-unshare-")));
  await mkdir(path.join(folder, "it's a tree", "deps"), { recursive: true });
  await writeFile(path.join(folder, "it's a tree", "settings"), "");
});
afterAll(async () => rm(folder, { recursive: true }));

function plan(mounts: readonly Mount[], table = ""): readonly string[] {
  const sandbox = {
    tool: "unshare",
    program: "/usr/bin/unshare",
    hostname: "shop",
    mounts,
  } as const;
  const facts = { folder: "/", uid: 7, gid: 8, table: parseMountTable(table) };
  return planScript(sandbox, facts).split("\n");
}

/** Of the tables that are mounted, the rows about this folder. */
function rowsOf(lines: readonly string[]): readonly string[] {
  return lines
    .flatMap((line) => line.replace(/^printf %s '/, ""))
    .filter((line) => line.startsWith(`${folder}/`));
}

function tree(): string {
  return path.join(folder, "it's a tree");
}

test("what is to be read is mounted so, and keeps what holds outside; what is not there is left out", () => {
  const lines = plan(
    [
      { kind: "write", from: tree(), to: tree() },
      { kind: "read", from: path.join(tree(), "deps"), to: path.join(tree(), "deps") },
      { kind: "read", from: path.join(folder, "nowhere"), to: "/nowhere" },
    ],
    `1 1 1:1 / ${tree().replaceAll(" ", "\\040")} rw,noexec - ext4 x rw`,
  );
  const inTable = tree()
    .replaceAll(" ", "\\040")
    .replaceAll("'", String.raw`'\''`);
  expect(rowsOf(lines)).toEqual([
    `${inTable} /sys${inTable} none rbind,nosuid,nodev,noexec,X-mount.mkdir 0 0`,
    `${inTable}/deps /sys${inTable}/deps none rbind,nosuid,nodev,ro,noexec,X-mount.mkdir 0 0`,
  ]);
  expect(lines.join("\n")).not.toContain("nowhere");
});

test("what is mounted below a folder to be read is made so too, by itself", () => {
  const table = `1 1 1:1 / ${tree().replaceAll(" ", "\\040")}/deps rw - overlay x rw`;
  const rows = rowsOf(plan([{ kind: "read", from: tree(), to: "/app" }], table));
  expect(rows.map((row) => row.split(" ")[1])).toEqual(["/sys/app", "/sys/app/deps"]);
  expect(rows.every((row) => row.includes(",ro,"))).toBe(true);
});

test("a file upon a mount has its place made after that, and one beside it before", () => {
  const file = path.join(tree(), "settings");
  const lines = plan([
    { kind: "read", from: file, to: "/beside/settings" },
    { kind: "write", from: tree(), to: "/app" },
    { kind: "read", from: file, to: "/app/other" },
    { kind: "text", text: "it's\n", to: "/etc/hosts" },
    { kind: "link", target: "usr/bin", to: "/bin" },
  ]);
  const at = (part: string): number => lines.findIndex((line) => line.includes(part));
  expect(at(": > '/sys/beside/settings'")).toBeGreaterThan(0);
  expect(at(": > '/sys/beside/settings'")).toBeLessThan(at("mount --all"));
  expect(at("[ -e '/sys/app/other' ]")).toBeGreaterThan(at("mount --all"));
  expect(lines.join("\n")).toContain(String.raw`printf %s 'it'\''s` + "\n' > '/sys/etc/hosts'");
  expect(lines).toContain("ln -s 'usr/bin' '/sys/bin'");
});

test("powers are given up last, as the user outside", () => {
  const lines = plan([]);
  const last = lines.findLastIndex((line) => line.startsWith("exec unshare"));
  expect(lines[last]).toMatch(/--map-user=7 --map-group=8 -- setpriv .*--no-new-privs -- "\$@"$/);
  expect(lines.slice(last + 1)).toEqual([""]);
});

test("neither the script nor what the app is given stands in its command line, or in what acts before it", () => {
  const sandbox = {
    tool: "unshare",
    program: "/usr/bin/unshare",
    hostname: "h",
    mounts: [],
  } as const;
  const environment = {
    RAMET_MARK: "home.id.runtime",
    LD_PRELOAD: "/tmp/evil.so",
    KEY: "it's a secret",
    "not a name": "x",
  };
  const launch = { file: "/bin/sh", args: ["-c", "true"], folder: "/", environment, user: null };
  const entered = enterUnshare(sandbox, launch);

  expect(entered.args.slice(-3)).toEqual(["/bin/sh", "-c", "true"]);
  expect(entered.args.join(" ")).not.toContain("pivot_root");
  expect(entered.environment).toMatchObject({ RAMET_MARK: "home.id.runtime" });
  expect(Object.keys(entered.environment).toSorted()).toEqual(["LC_ALL", "PATH", "RAMET_MARK"]);
  expect(entered.inputs?.[1]).toBe(
    [
      "export RAMET_MARK='home.id.runtime'",
      "export LD_PRELOAD='/tmp/evil.so'",
      String.raw`export KEY='it'\''s a secret'`,
      "",
    ].join("\n"),
  );
});
