import { open, rm } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../../base/problem.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import type { RemoteServer } from "../terminal/context.ts";
import { loginExposed, loginInvalid } from "./remote-problems.ts";

const OTHERS_MAY = 0o077;

/** Where a person is logged in; one server at a time. */
export function loginFile(homeFolder: string): string {
  return path.join(homeFolder, "login.json");
}

/** undefined: nowhere. @throws `login_invalid`, `login_exposed` */
export async function findLogin(homeFolder: string): Promise<RemoteServer | undefined> {
  const file = loginFile(homeFolder);
  const text = await readPrivate(file);
  if (text === undefined) return undefined;
  const login = parseLogin(text);
  if (login === undefined) throw loginInvalid(file);
  return login;
}

/** For this user alone, whatever the umask. */
export async function writeLogin(
  homeFolder: string,
  { url, token, trust }: RemoteServer,
): Promise<void> {
  const text = `${JSON.stringify({ url, token, trust }, undefined, 2)}\n`;
  await writeAtomically(loginFile(homeFolder), text, { mode: 0o600 });
}

export async function removeLogin(homeFolder: string): Promise<void> {
  await rm(loginFile(homeFolder), { force: true });
}

async function readPrivate(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file, "r");
    try {
      if (((await handle.stat()).mode & OTHERS_MAY) !== 0) throw loginExposed(file);
      return await handle.readFile("utf8");
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    if (hasErrorCode(error, "ELOOP", "EISDIR")) throw loginInvalid(file);
    throw error;
  }
}

/** By hand: a library for it would take as long to load as all the rest of a quick command. */
function parseLogin(text: string): RemoteServer | undefined {
  const login = parseRecord(text);
  const { url, token, trust } = login ?? {};
  if (typeof url !== "string" || typeof token !== "string" || !isRecord(trust)) return undefined;
  const { authority, pinned } = trust;
  if (!isTextOrNull(authority) || !isTextOrNull(pinned)) return undefined;
  return { url, token, trust: { authority, pinned } };
}

function parseRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    // Whoever asked says that the file says nothing.
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}
