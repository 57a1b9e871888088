import { createSocket } from "node:dgram";
import { once } from "node:events";
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  unlinkSync,
} from "node:fs";
import { type NetConnectOpts, connect } from "node:net";

import { NotApplicable, Refused } from "./probe.ts";
import { findCanary, type Targets } from "./targets.ts";

const MAX_READ_BYTES = 1_000_000;
/** Nobody who would answer at all takes longer. */
const ANSWER_MS = 1_500;

/** What is at the file's beginning, or has come so far. */
function readSome(file: string): Buffer {
  // A pipe or a device must not hold us up.
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(MAX_READ_BYTES);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, MAX_READ_BYTES, null));
  } finally {
    closeSync(descriptor);
  }
}

export function readCanary(file: string): string | null {
  return findCanary(readSome(file));
}

export function opensToRead(file: string): string {
  closeSync(openSync(file, constants.O_RDONLY | constants.O_NONBLOCK));
  return `opened ${file}`;
}

/** Writes nothing. */
export function opensToWrite(file: string): string {
  closeSync(openSync(file, constants.O_WRONLY | constants.O_NONBLOCK));
  return `opened ${file} to write`;
}

/** Leaves nothing behind. */
export function createsFile(file: string): string {
  closeSync(openSync(file, "wx", 0o600));
  takeBack(() => unlinkSync(file));
  return `created ${file}`;
}

/** What was done is taken back: where that fails it is our own mistake, and no refusal. */
export function takeBack(work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new Error("What a probe did could not be taken back.", { cause: error });
  }
}

/** Empty folders that lead to what is shown do not count. */
export function listsOthers(folder: string, shown: readonly string[]): string | null {
  const others = readdirSync(folder).filter((name) => !leads(`${folder}/${name}`, shown));
  return others.length === 0 ? null : `listed ${folder}: ${others.slice(0, 3).join(", ")}`;
}

function leads(folder: string, shown: readonly string[]): boolean {
  return shown.some((file) => `${file}/`.startsWith(`${folder}/`));
}

export function listsFolder(folder: string, wanted?: string): string | null {
  const names = readdirSync(folder);
  const isThere = wanted === undefined ? names.length > 0 : names.includes(wanted);
  return isThere ? `listed ${folder}: ${wanted ?? names.slice(0, 3).join(", ")}` : null;
}

/** That a process of this number was reached is nothing where numbers mean others than on the machine. */
export function ofMachine(got: string, { machine }: Targets): string {
  if (readlinkSync("/proc/self/ns/pid") === machine.processNamespace) return got;
  throw new Refused("that number is one of its own");
}

/** Resolves once somebody has taken the connection. */
export async function connects(to: NetConnectOpts): Promise<string> {
  const socket = connect({ ...to, timeout: ANSWER_MS });
  socket.once("timeout", () => socket.destroy(new Refused("nobody answered")));
  try {
    await once(socket, "connect");
    return "connected";
  } finally {
    socket.destroy();
  }
}

/** Of somebody who says it to whoever comes, or to a request. */
export async function hearsCanary(to: NetConnectOpts, says = ""): Promise<string | null> {
  const socket = connect({ ...to, timeout: ANSWER_MS });
  socket.once("timeout", () => socket.destroy(new Refused("nobody answered")));
  socket.write(says);
  let heard = "";
  for await (const chunk of socket) {
    heard += String(chunk);
    const found = findCanary(heard);
    if (found !== null) return found;
  }
  return null;
}

export async function hearsDatagram(port: number): Promise<string | null> {
  const { promise, resolve, reject } = Promise.withResolvers<string | null>();
  const socket = createSocket("udp4");
  socket.once("message", (message) => resolve(findCanary(message)));
  socket.once("error", reject);
  socket.connect(port, "127.0.0.1", () => socket.send("?"));
  AbortSignal.timeout(ANSWER_MS).addEventListener("abort", () => resolve(null), { once: true });
  return promise.finally(() => socket.close());
}

/** @throws NotApplicable where there is none */
export function requireTarget<T>(target: T | null, why: string): T {
  if (target === null) throw new NotApplicable(why);
  return target;
}
