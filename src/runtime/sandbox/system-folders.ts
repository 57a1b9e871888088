import { lstat, readlink } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../../base/problem.ts";
import type { Mount } from "./sandbox.ts";

/** Folders of programs and libraries; on most systems all but the first are links into it. */
const PROGRAMS = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
/** Where whole systems keep their programs. */
const STORES = ["/nix/store", "/gnu/store"];

/** What programs look up below /etc and what is no secret of the machine; `passwd`, `hosts` and their like are our own. */
const SETTINGS = [
  "alternatives",
  "ca-certificates",
  "ca-certificates.conf",
  "crypto-policies",
  "debian_version",
  "fonts",
  "gai.conf",
  "host.conf",
  "ImageMagick-6",
  "ImageMagick-7",
  "inputrc",
  "java-17-openjdk",
  "java-21-openjdk",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "locale.alias",
  "localtime",
  "login.defs",
  "magic",
  "mime.types",
  "mke2fs.conf",
  "networks",
  "nodejs",
  "os-release",
  "perl",
  "php",
  "pki/ca-trust",
  "pki/tls/certs",
  "protocols",
  "python3",
  "python3.11",
  "python3.12",
  "python3.13",
  "rpc",
  "services",
  "shells",
  "ssl/certs",
  "ssl/openssl.cnf",
  "static",
  "terminfo",
  "timezone",
];

/** The system, to read. */
export async function planSystemMounts(): Promise<readonly Mount[]> {
  const programs = await Promise.all(PROGRAMS.map(planProgramMount));
  const read = [...STORES, ...SETTINGS.map((name) => path.join("/etc", name))];
  return [
    ...programs.flatMap((mount) => mount ?? []),
    ...read.map((file) => ({ kind: "read" as const, from: file, to: file })),
  ];
}

async function planProgramMount(folder: string): Promise<Mount | undefined> {
  try {
    const isLink = (await lstat(folder)).isSymbolicLink();
    return isLink
      ? { kind: "link", target: await readlink(folder), to: folder }
      : { kind: "read", from: folder, to: folder };
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
