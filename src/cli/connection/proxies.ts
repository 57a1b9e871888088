import { isIP } from "node:net";

import type { Proxy } from "../terminal/context.ts";
import { proxyInvalid } from "./proxy-problems.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The proxy by which this machine reaches a server: as HTTPS_PROXY says, unless NO_PROXY does; lower case counts first. What is on
 * this machine, as all http: is, is reached without. @throws `proxy_invalid`
 */
export function findProxy(url: string, variables: Variables): Proxy | undefined {
  const { protocol, hostname, port } = new URL(url);
  const [name, text] = firstOf(variables, ["https_proxy", "HTTPS_PROXY"]);
  if (text === "" || protocol !== "https:" || isThisMachine(hostname)) return undefined;
  const [, exceptions] = firstOf(variables, ["no_proxy", "NO_PROXY"]);
  const to = { host: bare(hostname), port: port === "" ? "443" : port };
  const isExcepted = exceptions.split(/[\s,]+/).some((pattern) => isNamedBy(pattern, to));
  return isExcepted ? undefined : parseProxy(name, text);
}

function firstOf(variables: Variables, names: readonly string[]): readonly [string, string] {
  const found = names.find((name) => (variables[name] ?? "") !== "") ?? "";
  return [found, (variables[found] ?? "").trim()];
}

function isThisMachine(hostname: string): boolean {
  return /^(?:localhost|.+\.localhost|\[::1\]|127(?:\.\d+){3})$/.test(hostname);
}

const ADDRESS = /^\[(.*)\](?::(\d+))?$/;
const NAME = /^([^:]*)(?::(\d+))?$/;

type Address = { readonly host: string; readonly port: string };

/** `*`, a host, or a domain and all below it, each with a port or without. */
function isNamedBy(pattern: string, { host, port }: Address): boolean {
  if (pattern === "*") return true;
  const [, name = "", wanted] = ADDRESS.exec(pattern) ?? NAME.exec(pattern) ?? ["", pattern];
  const domain = name
    .replace(/^\*?\./, "")
    .replace(/\.$/, "")
    .toLowerCase();
  if (domain === "" || (wanted !== undefined && wanted !== port)) return false;
  return host === domain || (isIP(host) === 0 && host.endsWith(`.${domain}`));
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}

/** Whoever left the scheme out means http. */
function parseProxy(name: string, text: string): Proxy {
  const full = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(full)) throw proxyInvalid(name, "it is no URL");
  const { protocol, username, password, origin } = new URL(full);
  if (protocol !== "http:" && protocol !== "https:")
    throw proxyInvalid(name, `${protocol.slice(0, -1)} is not spoken here, but http and https`);
  if (username === "") return { origin, authorization: null };
  try {
    const words = [username, password].map((word) => decodeURIComponent(word));
    const encoded = Buffer.from(words.join(":"), "utf8").toString("base64");
    return { origin, authorization: `Basic ${encoded}` };
  } catch {
    throw proxyInvalid(name, "its user or password has a % that stands for nothing");
  }
}
