import { createServer, request as sendRequest } from "node:http";

import { afterEach, expect, test } from "vitest";

import { ask, sendRaw, Stage, TestTarget } from "./test-stage.ts";

const HOST = "Host: shop--x.localhost\r\n";
const FOLLOWING = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`;
const CHUNKED_END = "0\r\n\r\n";

let stage = new Stage();
afterEach(async () => {
  await stage.close();
  stage = new Stage();
});

async function openTenants(): Promise<{
  port: number;
  upstreamPort: number;
  reached: string[];
  looks: () => number;
}> {
  const reached: string[] = [];
  const upstream = await stage.upstream((request, response) => {
    reached.push(`${request.method} ${request.url}`);
    request.resume();
    response.end("reached");
  });
  const targets = {
    "shop--x.localhost": new TestTarget("shop--x", upstream.port),
    "shop--y.localhost": new TestTarget("shop--y", upstream.port),
  };
  const { port } = await stage.gateway(targets);
  const looks = (): number => Object.values(targets).reduce((sum, target) => sum + target.looks, 0);
  return { port, upstreamPort: upstream.port, reached, looks };
}

/** What Node's parser lets pass, and must not be passed on. */
const REFUSED_BY_US: readonly [name: string, bytes: string][] = [
  ["two Host headers", `GET / HTTP/1.1\r\n${HOST}Host: shop--y.localhost\r\n\r\n`],
  ["the same Host twice", `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`],
  ["an absolute target", `GET http://shop--y.localhost/ HTTP/1.1\r\n${HOST}\r\n`],
  ["a user in the Host", "GET / HTTP/1.1\r\nHost: a@shop--x.localhost\r\n\r\n"],
  ["a malformed bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"],
  ["a trailing dot", "GET / HTTP/1.1\r\nHost: shop--x.localhost.\r\n\r\n"],
  ["no Host", "GET / HTTP/1.1\r\n\r\n"],
  ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"],
  ["HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n"],
  [
    "HTTP/1.0 with Transfer-Encoding",
    `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${CHUNKED_END}`,
  ],
  ["HTTP/0.9", "GET /\r\n\r\n"],
  [
    "a coding before chunked",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n${CHUNKED_END}`,
  ],
  ["an asterisk", `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`],
  [
    "an upgrade with a body",
    `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: ${FOLLOWING.length}\r\n\r\n`,
  ],
  [
    "an upgrade with chunks",
    `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED_END}`,
  ],
  [
    "an upgrade by POST",
    `POST / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  ],
];

/** What Node's parser refuses by itself, today. */
const REFUSED_BY_NODE: readonly [name: string, bytes: string][] = [
  [
    "both framings",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED_END}`,
  ],
  [
    "both framings, the other way round",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n${CHUNKED_END}`,
  ],
  [
    "chunked, identity",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, identity\r\n\r\n${CHUNKED_END}`,
  ],
  [
    "chunked twice",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED_END}`,
  ],
  ["xchunked", `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n${CHUNKED_END}`],
  [
    "a coding after a vertical tab",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: \u000bchunked\r\n\r\n${CHUNKED_END}`,
  ],
  ["two lengths", `POST / HTTP/1.1\r\n${HOST}Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello`],
  [
    "the same length twice",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
  ],
  ["a list of lengths", `POST / HTTP/1.1\r\n${HOST}Content-Length: 5, 5\r\n\r\nhello`],
  ["a signed length", `POST / HTTP/1.1\r\n${HOST}Content-Length: +5\r\n\r\nhello`],
  ["a negative length", `POST / HTTP/1.1\r\n${HOST}Content-Length: -5\r\n\r\nhello`],
  ["a length in hex", `POST / HTTP/1.1\r\n${HOST}Content-Length: 0x5\r\n\r\nhello`],
  [
    "a length of many digits",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 18446744073709551621\r\n\r\nhello`,
  ],
  ["a space before the colon", `POST / HTTP/1.1\r\n${HOST}Content-Length : 5\r\n\r\nhello`],
  ["a folded header", `POST / HTTP/1.1\r\n${HOST}X-A: b\r\n Content-Length: 5\r\n\r\nhello`],
  ["a header without a colon", `GET / HTTP/1.1\r\n${HOST}Nonsense\r\n\r\n`],
  ["a header without a name", `GET / HTTP/1.1\r\n${HOST}: x\r\n\r\n`],
  ["lines that end with LF alone", `GET / HTTP/1.1\n${HOST.replace("\r", "")}\n`],
  ["one line that ends with LF alone", `GET / HTTP/1.1\r\n${HOST}X-A: b\nX-C: d\r\n\r\n`],
  [
    "a chunk's extension that holds an LF",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\nA\r\n${CHUNKED_END}`,
  ],
  ["NUL in a header", `GET / HTTP/1.1\r\n${HOST}X-A: b\u0000c\r\n\r\n`],
  ["a lone CR in a header", `GET / HTTP/1.1\r\n${HOST}X-A: b\rX-B: c\r\n\r\n`],
  [
    "a chunk size in 0x form",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0x1\r\nA\r\n${CHUNKED_END}`,
  ],
  ["a space in the target", `GET /a b HTTP/1.1\r\n${HOST}\r\n`],
  ["an unknown method", `PWN / HTTP/1.1\r\n${HOST}\r\n`],
  ["HTTP/1.2", `GET / HTTP/1.2\r\n${HOST}\r\n`],
  ["TLS", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003"],
];

test.each([...REFUSED_BY_US, ...REFUSED_BY_NODE])(
  "%s: 400, the connection ends, and neither it nor what follows reaches a target",
  async (name, bytes) => {
    const { port, reached, looks } = await openTenants();
    const answer = await sendRaw(port, `${bytes}${FOLLOWING}`, 2000);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    // A broken chunk is seen when its request is on its way already; what follows never sets out.
    const isBegun = name.startsWith("a chunk");
    expect(reached.filter((line) => !isBegun || line !== "POST /")).toEqual([]);
    expect(looks()).toBe(isBegun ? 1 : 0);
  },
);

test("without our own checks most of them do reach a target, so the checks are what refuses them", async () => {
  const { upstreamPort, reached } = await openTenants();
  const naive = createServer((request, response) => {
    const { method, url, headers } = request;
    const options = { host: "127.0.0.1", port: upstreamPort, method, path: url, headers };
    const outgoing = sendRequest(options, (answer) => answer.pipe(response));
    outgoing.on("error", () => response.destroy());
    request.pipe(outgoing);
  });
  await new Promise<void>((resolve) => naive.listen(0, "127.0.0.1", resolve));
  const address = naive.address();
  const port = address === null || typeof address === "string" ? 0 : address.port;

  const passed: string[] = [];
  for (const [name, bytes] of REFUSED_BY_US) {
    reached.length = 0;
    await sendRaw(port, bytes, 200);
    if (reached.length > 0) passed.push(name);
  }
  naive.closeAllConnections();
  await new Promise((resolve) => naive.close(resolve));
  expect(passed).toEqual(
    expect.arrayContaining([
      "two Host headers",
      "an absolute target",
      "a user in the Host",
      "a malformed bracket",
      "a trailing dot",
    ]),
  );
  expect(passed.length).toBeGreaterThanOrEqual(8);
});

test("a body that looks like a request stays a body", async () => {
  const { port, reached } = await openTenants();
  for (const method of ["GET", "POST", "DELETE", "PUT"]) {
    const headers = { "content-length": String(FOLLOWING.length) };
    expect(
      await ask(port, "shop--x.localhost", { method, headers, body: FOLLOWING }),
    ).toMatchObject({ status: 200 });
  }
  expect(reached).toEqual(["GET /", "POST /", "DELETE /", "PUT /"]);
});

test("a broken chunk ends the request at the target as well: nothing after it is read as another", async () => {
  const { port, reached } = await openTenants();
  const bytes = `POST /first HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX${FOLLOWING}`;
  await sendRaw(port, bytes, 500);
  expect(reached.filter((line) => line !== "POST /first")).toEqual([]);
});

test("requests in a row on one connection are each for their own host", async () => {
  const names = ["x", "y", "x", "none", "y"];
  const seen: string[] = [];
  const open = async (label: string): Promise<TestTarget> => {
    const upstream = await stage.upstream((request, response) => {
      seen.push(`${label} ${request.url}`);
      response.end(label);
    });
    return new TestTarget(label, upstream.port);
  };
  const { port } = await stage.gateway({
    "shop--x.localhost": await open("x"),
    "shop--y.localhost": await open("y"),
  });
  const bytes = names.map(
    (name, index) => `GET /${index} HTTP/1.1\r\nHost: shop--${name}.localhost\r\n\r\n`,
  );
  const answer = await sendRaw(port, bytes.join(""), 1000);

  expect(answer.match(/HTTP\/1\.1 \d+/g)?.map((line) => line.slice(9))).toEqual([
    "200",
    "200",
    "200",
    "404",
    "200",
  ]);
  expect(seen.toSorted()).toEqual(["x /0", "x /2", "y /1", "y /4"]);
});

test("a header of more than 64 KB is refused, one just below passes", async () => {
  const { port, reached } = await openTenants();
  expect(await sendRaw(port, padded(70_000), 2000)).toMatch(/^HTTP\/1\.1 431 /);
  expect(reached).toEqual([]);
  await sendRaw(port, padded(10_000), 2000);
  expect(reached).toEqual(["GET /"]);
});

function padded(bytes: number): string {
  return `GET / HTTP/1.1\r\n${HOST}X-Big: ${"a".repeat(bytes)}\r\nConnection: close\r\n\r\n`;
}
