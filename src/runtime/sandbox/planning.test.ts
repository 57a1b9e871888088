import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { planSandbox, type SandboxFacts } from "./plan-sandbox.ts";
import type { Mount } from "./sandbox.ts";
import { planSettings } from "./settings.ts";
import { planSystemCallFilter } from "./system-call-filter.ts";
import { listToolFolders } from "./tool-folders.ts";

let root: string;
let home: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-tools-")));
  home = path.join(root, "home", "ann");
  await mkdir(home, { recursive: true });
});
afterEach(async () => rm(root, { recursive: true }));

async function makeTool(folder: string, name = "tool"): Promise<string> {
  const where = path.join(root, folder);
  await mkdir(where, { recursive: true });
  await writeFile(path.join(where, name), "");
  await chmod(path.join(where, name), 0o755);
  return where;
}

async function list(...entries: readonly string[]): Promise<readonly string[]> {
  const hidden = [path.join(home, ".ramet")];
  const found = await listToolFolders({ searchPath: entries.join(":"), home, hidden });
  return found.map((folder) => path.relative(root, folder));
}

test("what a tool needs beside it is shown with it", async () => {
  const node = await makeTool("home/ann/.nvm/versions/node/v24/bin", "node");
  const shims = await makeTool("home/ann/.pyenv/shims");
  const bins = await makeTool("home/ann/shop/node_modules/.bin");
  expect(await list(node, shims, bins)).toEqual([
    "home/ann/.nvm/versions/node/v24",
    "home/ann/.pyenv",
    "home/ann/shop/node_modules",
  ]);
});

test("interpreters that uv keeps are shown, though no PATH leads to them", async () => {
  await makeTool("home/ann/.local/share/uv/python/cpython-3.13/bin", "python3");
  expect(await list()).toEqual(["home/ann/.local/share/uv/python"]);
});

test.each(["home/ann/bin", "home/ann/.local/bin", "home/ann/.cargo/bin"])(
  "of %s nothing beside it is shown: secrets lie there too",
  async (folder) => {
    expect(await list(await makeTool(folder))).toEqual([folder]);
  },
);

test("what a folder's programs are links to is shown with what that needs", async () => {
  const bin = await makeTool("home/ann/.local/bin");
  const venv = await makeTool("home/ann/.local/share/poetry/venv/bin", "poetry");
  await symlink(path.join(venv, "poetry"), path.join(bin, "poetry"));
  await symlink("/usr/bin/env", path.join(bin, "env"));
  await symlink("nowhere", path.join(bin, "dangling"));
  expect(await list(bin)).toEqual(["home/ann/.local/bin", "home/ann/.local/share/poetry/venv"]);
});

test("a folder that is itself a link is shown by both its names", async () => {
  const real = await makeTool("home/ann/.local/share/fnm/v24/installation/bin", "node");
  await mkdir(path.join(root, "run"));
  await symlink(path.dirname(real), path.join(root, "run", "multishell"));
  expect(await list(path.join(root, "run", "multishell", "bin"))).toEqual([
    "home/ann/.local/share/fnm/v24/installation",
    "run/multishell",
  ]);
});

test("never the home itself, nor what holds it or what is hidden, however a PATH or a link leads there", async () => {
  await makeTool("home/ann/.ramet/bin");
  const bin = await makeTool("home/ann/bin");
  await symlink(path.join(home, ".ramet", "bin", "tool"), path.join(bin, "tool2"));
  await writeFile(path.join(home, "secret"), "");
  await symlink(path.join(home, "secret"), path.join(bin, "secret"));
  const found = await list(home, path.dirname(home), root, "/", path.join(home, ".ramet"), bin);
  expect(found).toEqual(
    ["home/ann/.ramet/bin", "home/ann/bin"].filter((one) => found.includes(one)),
  );
  expect(found).toContain("home/ann/bin");
  for (const never of ["", "home", "home/ann", "home/ann/.ramet"])
    expect(found).not.toContain(never);
});

test("what is not there, is no absolute path, or is the system's is left out", async () => {
  expect(
    await list(
      "/usr/bin",
      "/usr/local/bin",
      "/bin",
      "node_modules/.bin",
      ".",
      "",
      path.join(root, "gone"),
    ),
  ).toEqual([]);
});

function facts(change: Partial<SandboxFacts> = {}): SandboxFacts {
  return {
    tool: "bubblewrap",
    program: "/usr/bin/bwrap",
    hostname: "shop--x",
    tools: { searchPath: "", home, hidden: [] },
    tree: "/home/ann/shop",
    shown: ["/home/ann/shop/.git", "/home/ann", "/srv/main/.git"],
    home: "/data/x/home",
    temporary: "/data/x/tmp",
    user: { uid: 1000, gid: 1000, name: "ann" },
    names: ["shop--x.localhost"],
    ...change,
  };
}

function isAt(to: string): (mount: Mount) => boolean {
  return (mount) => mount.to === to;
}

test("what is shown above the tree lies below it, what is protected in it lies upon it", async () => {
  const { mounts } = await planSandbox(facts());
  const at = (to: string): number => mounts.findIndex(isAt(to));
  expect(at("/home/ann")).toBeLessThan(at("/home/ann/shop"));
  expect(at("/home/ann/shop")).toBeLessThan(at("/home/ann/shop/.git"));
  expect(at("/tmp")).toBeLessThan(at("/home/ann/shop"));
  const writable = mounts.flatMap((mount) => (mount.kind === "write" ? [mount.to] : []));
  expect(writable).toEqual(["/tmp", "/home/ann/shop", "/data/x/home"]);
});

test("the system is shown to read, its secrets are not", async () => {
  const { mounts } = await planSandbox(facts());
  expect(mounts.find(isAt("/usr"))).toEqual({ kind: "read", from: "/usr", to: "/usr" });
  expect(mounts.some(isAt("/etc/ssl/certs"))).toBe(true);
  for (const never of [
    "/",
    "/etc",
    "/etc/shadow",
    "/etc/ssh",
    "/etc/ssl",
    "/etc/ssl/private",
    "/var",
    "/run",
    "/root",
    "/home",
    "/sys",
    "/proc",
  ])
    expect(mounts.some(isAt(never))).toBe(false);
});

test("names, users and name servers inside are the environment's own", () => {
  const texts = planSettings({
    user: { uid: 7, gid: 8, name: "ann" },
    home: "/h",
    names: ["shop--x.localhost"],
  });
  const at = (to: string): string =>
    texts.flatMap((one) => (one.kind === "text" && one.to === to ? [one.text] : []))[0] ?? "";
  expect(at("/etc/passwd")).toContain("ann:x:7:8::/h:/bin/sh\n");
  expect(at("/etc/group")).toContain("ann:x:8:\n");
  expect(at("/etc/hosts")).toBe(
    "127.0.0.1 localhost shop--x.localhost\n::1 localhost shop--x.localhost\n",
  );
  expect(at("/etc/resolv.conf")).toContain("nameserver 127.0.0.1\n");
  expect(at("/etc/nsswitch.conf")).toContain("hosts: files dns");
});

/** As the kernel runs it: true when the call is allowed. */
function allows(
  program: Uint8Array,
  call: { arch: number; number: number; first?: number; second?: number },
): boolean {
  const bytes = Buffer.from(program);
  const fields: Readonly<Record<number, number>> = {
    0: call.number,
    4: call.arch,
    16: call.first ?? 0,
    24: call.second ?? 0,
  };
  let accumulator = 0;
  for (let at = 0; at < bytes.length / 8; at += 1) {
    const [code, yes, no] = [
      bytes.readUInt16LE(at * 8),
      bytes.readUInt8(at * 8 + 2),
      bytes.readUInt8(at * 8 + 3),
    ];
    const operand = bytes.readUInt32LE(at * 8 + 4);
    if (code === 0x06) return operand === 0x7fff_0000;
    if (code === 0x20) accumulator = fields[operand] ?? 0;
    else at += (code === 0x15 ? accumulator === operand : accumulator >= operand) ? yes : no;
  }
  throw new Error("A program ends with an answer.");
}

const MACHINES = [
  {
    name: "x64",
    arch: 0xc000003e,
    keyctl: 250,
    bpf: 321,
    socket: 41,
    ioctl: 16,
    read: 0,
    clone: 56,
  },
  {
    name: "arm64",
    arch: 0xc00000b7,
    keyctl: 219,
    bpf: 280,
    socket: 198,
    ioctl: 29,
    read: 63,
    clone: 220,
  },
];

test.each(MACHINES)(
  "on $name calls that reach beyond a sandbox are refused, and no others",
  (machine) => {
    const program = planSystemCallFilter(machine.name);
    const { arch } = machine;
    const can = (number: number, first = 0, second = 0): boolean =>
      allows(program, { arch, number, first, second });

    expect([machine.keyctl, machine.bpf].map((number) => can(number))).toEqual([false, false]);
    expect([machine.read, machine.clone].map((number) => can(number))).toEqual([true, true]);
    expect([can(machine.socket, 1), can(machine.socket, 2), can(machine.socket, 40)]).toEqual([
      true,
      true,
      false,
    ]);
    expect([
      can(machine.ioctl, 0, 0x5401),
      can(machine.ioctl, 0, 0x5412),
      can(machine.ioctl, 0, 0x541c),
    ]).toEqual([true, false, false]);
    // Neither by another numbering of the same machine.
    expect(allows(program, { arch: 0x40000003, number: machine.read })).toBe(false);
  },
);

test("x32, by which the same calls have other numbers, is refused", () => {
  const program = planSystemCallFilter("x64");
  expect(allows(program, { arch: 0xc000003e, number: 0x4000_0000 + 250 })).toBe(false);
});

test("on a machine whose numbers we do not know nothing is refused", () => {
  expect(allows(planSystemCallFilter("riscv64"), { arch: 1, number: 2 })).toBe(true);
});
