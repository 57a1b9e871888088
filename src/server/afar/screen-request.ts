import { parseHostname } from "../../base/hostname.ts";
import { TOKEN_HEADER } from "../../protocol/headers.ts";

/** What of a request decides whether it is answered at all. */
export type RequestHead = {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headersDistinct: Readonly<Record<string, readonly string[] | undefined>>;
};

export type Refusal = { readonly status: number; readonly reason: string };
/** `tunnel`: a connection that becomes another one, of which a database's client speaks. */
export type Wanted = "call" | "tunnel";
export type Screen = (head: RequestHead, wanted: Wanted) => Refusal | undefined;

/** Browsers alone say these, and each says some of them in every request that a page can make them send. */
const SAID_BY_BROWSERS = [
  "origin",
  "referer",
  "cookie",
  "sec-fetch-site",
  "sec-fetch-mode",
  "sec-fetch-dest",
  "access-control-request-method",
  "access-control-request-headers",
  "sec-websocket-key",
];

/**
 * Lets in what the command line sends, and nothing else: no page in a browser, whatever site it is of, and nobody who was led
 * here by another name for this address. undefined: it may come in, and then shows its token.
 * @param isOurName whether clients know the server by this host name
 */
export function createScreen(isOurName: (hostname: string) => boolean): Screen {
  return (head, wanted) => {
    const hosts = head.headersDistinct["host"] ?? [];
    const hostname = hosts.length === 1 ? parseHostname(hosts[0] ?? "") : undefined;
    if (hostname === undefined || !isOurName(hostname))
      return { status: 421, reason: "its Host header is no name of this server" };
    const said = SAID_BY_BROWSERS.find((name) => head.headersDistinct[name] !== undefined);
    if (said !== undefined)
      return { status: 403, reason: `it bears the header ${said}, as a web page's do` };
    return screenForm(head, wanted);
  };
}

function screenForm(head: RequestHead, wanted: Wanted): Refusal | undefined {
  const { url = "", headersDistinct } = head;
  if (!url.startsWith("/")) return { status: 400, reason: "its target must be a path" };
  if ((headersDistinct[TOKEN_HEADER] ?? []).length > 1)
    return { status: 400, reason: "it shows two tokens" };
  return wanted === "tunnel" ? undefined : screenCall(head);
}

function screenCall({ method, headersDistinct }: RequestHead): Refusal | undefined {
  if (method !== "POST") return { status: 405, reason: "calls are made by POST" };
  const [type = "", ...others] = headersDistinct["content-type"] ?? [];
  return others.length > 0 || type.toLowerCase() !== "application/json"
    ? { status: 415, reason: "a call is application/json" }
    : undefined;
}
