import { once } from "node:events";
import { type Socket, connect } from "node:net";

/** An HTTP proxy, through which the machine reaches the world. */
export type Proxy = {
  readonly host: string;
  readonly port: number;
  /** Of its address; null: it asks for none. */
  readonly login: string | null;
  /** Names that are dialled past it, with those below them. */
  readonly except: readonly string[];
};

const HTTP_PORT = 80;
const ANSWER_MS = 30_000;
const MAX_ANSWER_BYTES = 16 * 1024;
const END_OF_HEAD = "\r\n\r\n";

/** As most programs read their environment; null: it names none, or one of a kind that we do not speak to. */
export function parseProxy(
  environment: Readonly<Record<string, string | undefined>>,
): Proxy | null {
  const named = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"];
  const address = named.map((name) => environment[name] ?? "").find((text) => text !== "");
  const url = address === undefined ? null : URL.parse(address);
  if (url === null || url.protocol !== "http:") return null;
  const { username, password } = url;
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(url.port || HTTP_PORT),
    login:
      username === "" ? null : `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
    except: parseExceptions(environment["no_proxy"] ?? environment["NO_PROXY"] ?? ""),
  };
}

export function isExcepted({ except }: Proxy, host: string): boolean {
  return except.some((name) => name === "*" || host === name || host.endsWith(`.${name}`));
}

/** undefined: the proxy is not there, or refuses. */
export async function dialThrough(
  proxy: Proxy,
  host: string,
  port: number,
): Promise<Socket | undefined> {
  const { host: at, port: on, login } = proxy;
  const socket = connect({ host: at, port: on, allowHalfOpen: true, noDelay: true });
  const authority = `${host}:${port}`;
  const head = [
    `CONNECT ${authority} HTTP/1.1`,
    `Host: ${authority}`,
    ...(login === null
      ? []
      : [`Proxy-Authorization: Basic ${Buffer.from(login).toString("base64")}`]),
  ];
  socket.write(head.join("\r\n") + END_OF_HEAD);
  try {
    if (/^HTTP\/1\.[01] 2\d\d/.test(await readHead(socket))) return socket;
  } catch {
    // Not there, or it hung up: as if it had refused.
  }
  socket.on("error", () => undefined).destroy();
  return undefined;
}

/** What comes behind it is left to be read. */
async function readHead(socket: Socket): Promise<string> {
  const limit = AbortSignal.timeout(ANSWER_MS);
  let heard = Buffer.alloc(0);
  for (;;) {
    await once(socket, "readable", { signal: limit });
    const chunk: unknown = socket.read();
    if (!(chunk instanceof Buffer)) throw new Error("The proxy hung up.");
    heard = Buffer.concat([heard, chunk]);
    const end = heard.indexOf(END_OF_HEAD);
    if (end < 0 && heard.length < MAX_ANSWER_BYTES) continue;
    const behind = heard.subarray(end + END_OF_HEAD.length);
    if (end >= 0 && behind.length > 0) socket.unshift(behind);
    return heard.toString("latin1", 0, end);
  }
}

function parseExceptions(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(/[\s,]+/)
    .map((name) => name.replace(/^\*?\./, "").replace(/:\d+$/, ""))
    .filter((name) => name !== "");
}
