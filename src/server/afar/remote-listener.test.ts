import { afterAll, beforeAll, expect, test } from "vitest";

import { exchange, headersOf, NAME, openAfarStage } from "../../../test/journeys/afar-stage.ts";
import type { AfarStage, Headers } from "../../../test/journeys/afar-stage.ts";
import { findChromium, openBrowser } from "../../../test/journeys/browser.ts";

const chromium = await findChromium();
const ABSENT = chromium === undefined ? ", which is not installed here" : "";

let stage: AfarStage;
let open: { port: number; close(): Promise<void> };

beforeAll(async () => {
  stage = await openAfarStage();
  open = await stage.open({ screen: () => undefined });
});
afterAll(async () => {
  await open.close();
  await stage.close();
});

/** By another name than its own: a page whose name was led to this address sends these. */
const HOSTS = [
  "evil.example",
  "127.0.0.1.evil.example",
  `${NAME}.evil.example`,
  `evil-${NAME}`,
  `x.${NAME}`,
  `${NAME}.`,
  `${NAME}@evil.example`,
  `evil.example@${NAME}`,
  `evil.example#${NAME}`,
  `${NAME}:99999`,
  `${NAME}:0x50`,
  `${NAME}:`,
  `${NAME} `.concat("evil.example"),
  "localhost",
  "localhost.",
  "2130706433",
  "0x7f000001",
  "0177.0.0.1",
  "127.1",
  "127.0.0.2",
  "0.0.0.0",
  "[::]",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "[::1%25lo]",
  "ra%6det.test",
  "ｒamet.test",
  "xn--ramet-9na.test",
  "",
];

/** Whatever page sends it, be it of the server's own name. */
const ORIGINS = [
  "null",
  "",
  "http://evil.example",
  `https://${NAME}`,
  `https://${NAME}.evil.example`,
  `https://evil.example#${NAME}`,
  "http://127.0.0.1",
  "http://localhost:3000",
  "http://shop--development.localhost:7420",
  "file://",
  "chrome-extension://abcdefgh",
  "vscode-webview://x",
];

const FETCHES: readonly Headers[] = [
  [["sec-fetch-site", "cross-site"]],
  [["sec-fetch-site", "same-site"]],
  [["sec-fetch-site", "same-origin"]],
  [["sec-fetch-site", "none"]],
  [["sec-fetch-site", "nonsense"]],
  [["sec-fetch-mode", "no-cors"]],
  [["sec-fetch-mode", "navigate"]],
  [["sec-fetch-mode", "websocket"]],
  [["sec-fetch-dest", "iframe"]],
  [["Sec-Fetch-Site", "cross-site"]],
  [["referer", "http://evil.example/"]],
  [["referer", `https://${NAME}/`]],
  [["cookie", "session=1"]],
  [["access-control-request-method", "POST"]],
  [["access-control-request-headers", "x-ramet-token"]],
];

/** What a form, a beacon or `fetch` without leave can say that a body is. */
const TYPES = [
  "text/plain",
  "text/plain;charset=UTF-8",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/json; charset=utf-8",
  "application/jsonp",
  "text/json",
  "",
];

const VECTORS: readonly (readonly [string, (good: Headers) => Headers])[] = [
  ...HOSTS.map((host) => [`Host: ${host}`, replacing("host", host)] as const),
  ...ORIGINS.map((origin) => [`Origin: ${origin}`, adding([["origin", origin]])] as const),
  ...FETCHES.map((said) => [said.join().replace(",", ": "), adding(said)] as const),
  ...TYPES.map((type) => [`Content-Type: ${type}`, replacing("content-type", type)] as const),
  ["no Content-Type", (good) => good.filter(([name]) => name !== "content-type")],
  ["two Hosts", adding([["host", "evil.example"]])],
  ["two Content-Types", adding([["content-type", "text/plain"]])],
];

function adding(others: Headers): (good: Headers) => Headers {
  return (good) => [...good, ...others];
}

function replacing(name: string, text: string): (good: Headers) => Headers {
  return (good) => good.map((one) => (one[0] === name ? [name, text] : one));
}

async function send(port: number, headers: Headers): Promise<string> {
  return exchange(port, stage.certificate, { headers });
}

test("there are as many ways in to try as there should be", () => {
  expect(VECTORS.length).toBeGreaterThanOrEqual(60);
});

test.each(VECTORS)(
  "with a good token, %s is refused, and would be let in unscreened",
  async (_, change) => {
    const headers = change(headersOf(stage.token));
    const unscreened = await send(open.port, headers);
    expect(unscreened).toMatch(/^HTTP\/1\.1 200 /);
    expect(unscreened).toContain('{"result":[{"name":"shop"');

    const screened = await send(stage.port, headers);
    expect(screened).toMatch(/^HTTP\/1\.1 4(?:00|03|15|21) /);
    expect(screened).not.toContain("result");
    expect(screened).not.toMatch(/^access-control-/im);
  },
);

test.each([NAME, `${NAME}:7443`, NAME.toUpperCase(), "127.0.0.1", "127.0.0.1:1"])(
  "the command line is let in that calls it %s",
  async (host) => {
    const answer = await send(stage.port, headersOf(stage.token, host));
    expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*"result":\[\{"name":"shop"/);
  },
);

test.each(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"])(
  "%s calls nothing",
  async (method) => {
    const { connect } = await import("node:tls");
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const socket = connect({ host: "127.0.0.1", port: stage.port, ca: [stage.certificate] });
    const headers = headersOf(stage.token).map(([name, text]) => `${name}: ${text}\r\n`);
    let answer = "";
    socket
      .on("data", (chunk) => void (answer += String(chunk)))
      .on("end", () => resolve(answer))
      .on("error", reject)
      .write(`${method} /calls/app.list HTTP/1.1\r\n${headers.join("")}\r\n`);
    expect(await promise).toMatch(/^HTTP\/1\.1 405 /);
    socket.destroy();
  },
);

/** What a page says of a call that it makes to where it came from, once its name leads to the server. */
async function callFromPage(port: number): Promise<string> {
  const browser = await openBrowser(chromium ?? "");
  try {
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    // The browser takes every name below localhost for this machine.
    const origin = `https://rebound.localhost:${port}`;
    await page.route(`${origin}/`, async (route) =>
      route.fulfill({ contentType: "text/html", body: "<title>evil</title>" }),
    );
    await page.goto(`${origin}/`);
    const headers = Object.fromEntries(headersOf(stage.token).filter(([name]) => name !== "host"));
    return await page.evaluate(async (sent) => {
      const answer = await fetch("/calls/app.list", { method: "POST", headers: sent, body: "{}" });
      return `${answer.status} ${await answer.text()}`;
    }, headers);
  } finally {
    await browser.close();
  }
}

test.skipIf(chromium === undefined)(
  `a page in Chromium whose name was led here is refused${ABSENT}`,
  async () => {
    expect(await callFromPage(open.port)).toMatch(/^200 .*"name":"shop"/);
    expect(await callFromPage(stage.port)).toMatch(/^421 .*request_screened/);
  },
);
