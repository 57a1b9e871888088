import { request } from "node:http";

import { waitFor } from "../../src/base/clock.ts";

const ANSWER_LIMIT_MS = 60_000;
const ONE_ANSWER_LIMIT_MS = 10_000;
const EVERY_MS = 2;
const MOST_QUOTE = 2_000;

/** Where to ask: Node resolves no `*.localhost`, so that the port leads there and the host name goes along. */
export type Address = { readonly port: number; readonly host: string; readonly path: string };

export function addressOf(url: string | null, path = "/"): Address {
  if (url === null) throw new Error("The environment has no URL.");
  const { port, host } = new URL(url);
  return { port: Number(port), host, path };
}

export function directAddress(port: number, path = "/"): Address {
  return { port, host: `127.0.0.1:${port}`, path };
}

/** Asks again and again until the answer is 200. @throws Error at the limit */
export async function untilOk(address: Address, signal: AbortSignal): Promise<void> {
  await untilText(address, () => true, signal);
}

/** Asks again and again until the answer is 200 and its text as it should be. @throws Error at the limit */
export async function untilText(
  address: Address,
  isRight: (text: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  let last = "nothing";
  const ask = async (): Promise<true | undefined> => {
    const { status, text } = await fetchText(address);
    last = `${status} ${text}`;
    return status === 200 && isRight(text) ? true : undefined;
  };
  const answered = await waitFor(ask, { timeoutMs: ANSWER_LIMIT_MS, everyMs: EVERY_MS, signal });
  if (answered === undefined)
    throw new Error(
      `${address.host}${address.path} answered ${last.slice(0, MOST_QUOTE)} at last.`,
    );
}

/** Status 0 where nobody answers. */
async function fetchText({ port, host, path }: Address): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const fail = (): void => resolve({ status: 0, text: "" });
    const where = { host: "127.0.0.1", port, path, headers: { host }, agent: false } as const;
    const sent = request({ ...where, timeout: ONE_ANSWER_LIMIT_MS }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", fail);
    });
    sent.on("error", fail).on("timeout", () => sent.destroy());
    sent.end();
  });
}
