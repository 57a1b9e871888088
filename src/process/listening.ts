import { readdirSync, readlinkSync } from "node:fs";

import { IS_LINUX, askSystem, eachOf, isGone, readProc } from "./process-table.ts";

/** State `TCP_LISTEN` of /proc/net/tcp. */
const LISTEN = "0A";
const SOCKET_LINK = /^socket:\[(\d+)\]$/;

/** Ports on which these processes can be reached from this machine's loopback, ascending. */
export async function listListeningPorts(pids: readonly number[]): Promise<readonly number[]> {
  if (pids.length === 0) return [];
  const ports = IS_LINUX ? await portsByProc(pids) : await portsByLsof(pids);
  return [...new Set(ports)].toSorted((a, b) => a - b);
}

async function portsByProc(pids: readonly number[]): Promise<readonly number[]> {
  const tables = [readProc("/proc/net/tcp"), readProc("/proc/net/tcp6")];
  const portOfInode = new Map(tables.flatMap(parseTcpTable));
  const inodes: string[] = [];
  for (const pid of pids) inodes.push(...(await listSocketInodes(pid)));
  return inodes.map((inode) => portOfInode.get(inode)).filter((port) => port !== undefined);
}

/** Pairs of inode and port, of those that listen on loopback or on all addresses. */
export function parseTcpTable(text: string): readonly (readonly [inode: string, port: number])[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [address = "", port = ""] = fields[1]?.split(":") ?? [];
    const inode = fields[9];
    if (fields[3] !== LISTEN || inode === undefined || !isReachable(address)) return [];
    return [[inode, Number.parseInt(port, 16)] as const];
  });
}

/** Addresses stand there as 32-bit words, each in the machine's byte order. */
function isReachable(address: string): boolean {
  if (/^0+$/.test(address)) return true;
  if (address.length === 8) return address.endsWith("7F") || address.startsWith("7F");
  const isLoopback6 = /^0{24}(?:01000000|00000001)$/.test(address);
  const isMapped = /^0{16}(?:0000FFFF|FFFF0000)(?:0{8}|.{6}7F|7F.{6})$/.test(address);
  return isLoopback6 || isMapped;
}

async function listSocketInodes(pid: number): Promise<readonly string[]> {
  const folder = `/proc/${pid}/fd`;
  const links = await eachOf(readFolderGone(folder), (name) => readLinkGone(`${folder}/${name}`));
  return links.flatMap((link) => SOCKET_LINK.exec(link)?.[1] ?? []);
}

function readFolderGone(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function readLinkGone(file: string): string {
  try {
    return readlinkSync(file);
  } catch (error) {
    if (isGone(error)) return "";
    throw error;
  }
}

async function portsByLsof(pids: readonly number[]): Promise<readonly number[]> {
  return parseLsof(
    await askSystem("lsof", ["-nP", "-a", "-iTCP", "-sTCP:LISTEN", "-Fn", "-p", pids.join(",")]),
  );
}

/** Lines such as `n127.0.0.1:5173`, `n*:3000`, `n[::1]:8080`. */
export function parseLsof(text: string): readonly number[] {
  return text.split("\n").flatMap((line) => {
    const port = /^n(?:\*|127\.[\d.]+|\[::1?\]|\[::ffff:127\.[\d.]+\]):(\d+)$/.exec(line)?.[1];
    return port === undefined ? [] : [Number(port)];
  });
}
