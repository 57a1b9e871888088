import { readFile } from "node:fs/promises";
import path from "node:path";

import { messageOf } from "../../base/problem.ts";
import type { Context } from "../terminal/context.ts";
import type { RemoteServer, Trust } from "../terminal/context.ts";
import { fileUnreadable } from "../terminal/problems.ts";
import { findLogin } from "./login-file.ts";
import { findProxy } from "./proxies.ts";
import { loginNeeded, serverUrlInvalid, tokenWithoutServer } from "./remote-problems.ts";

const PUBLIC: Trust = { authority: null, pinned: null };
/** Says that this machine's own server is meant, whatever was logged in to. */
const OWN = "local";

/**
 * The server that commands are for: as RAMET_SERVER says, else where the person is logged in, else this machine's own, which
 * is undefined; and the way there. @throws `login_needed`, `server_url_invalid`, `server_unnamed`, `login_invalid`,
 * `login_exposed`, `proxy_invalid`
 */
export async function findRemote(context: Context): Promise<RemoteServer | undefined> {
  const server = await findServer(context);
  return server && { ...server, proxy: findProxy(server.url, context.environment) };
}

async function findServer(context: Context): Promise<RemoteServer | undefined> {
  const { RAMET_SERVER: named = "", RAMET_TOKEN: token = "" } = context.environment;
  if (named === OWN) return undefined;
  if (named === "" && token !== "") throw tokenWithoutServer();
  const login = await findLogin(context.home.folder);
  return named === "" ? login : findNamed(context, { named, token, login });
}

async function findNamed(
  context: Context,
  said: {
    readonly named: string;
    readonly token: string;
    readonly login: RemoteServer | undefined;
  },
): Promise<RemoteServer> {
  const { named, token, login } = said;
  const url = parseServerUrl(named);
  const trust = await readTrust(context);
  if (token !== "") return { url, token, trust: trust ?? trustOf(login, url) };
  if (login?.url !== url) throw loginNeeded(url);
  return trust === undefined ? login : { ...login, trust };
}

/** The origin of a server's URL. @throws `server_url_invalid` */
export function parseServerUrl(text: string): string {
  if (!URL.canParse(text)) throw serverUrlInvalid(text, "it is no URL");
  const { protocol, origin, hostname, username, password, pathname, search, hash } = new URL(text);
  if (username !== "" || password !== "")
    throw serverUrlInvalid(text, "a token is not a part of it");
  if (pathname !== "/" || search !== "" || hash !== "")
    throw serverUrlInvalid(text, "it goes on behind the host");
  if (protocol === "https:" || (protocol === "http:" && isLoopback(hostname))) return origin;
  throw serverUrlInvalid(text, "tokens are sent by https alone");
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

async function readTrust({ environment, folder }: Context): Promise<Trust | undefined> {
  const { RAMET_CA: named = "" } = environment;
  if (named === "") return undefined;
  return { authority: await readPemFile(path.resolve(folder, named)), pinned: null };
}

/** @throws `file_unreadable` */
export async function readPemFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw fileUnreadable(file, messageOf(error));
  }
}

function trustOf(login: RemoteServer | undefined, url: string): Trust {
  return login?.url === url ? login.trust : PUBLIC;
}
