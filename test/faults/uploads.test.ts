/** What passes the gateway is never held by it: a gigabyte up and down, plain and encrypted, beside the server's own memory. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:http";
import type { RequestOptions } from "node:http";
import { request as requestSecurely } from "node:https";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { environmentSchema, serverStatusSchema } from "../../src/protocol/schemas.ts";
import { openStage } from "../journeys/stage.ts";
import type { Stage } from "../journeys/stage.ts";

const MB = 1024 * 1024;
const SIZE_MB = 1024;
/** Of the sockets on both sides, the streams between them, and what has not been collected yet. */
const MOST_GROWTH_MB = 128;

const ECHO = `require("node:http").createServer((request, response) => request.pipe(response)).listen(process.env.PORT, process.env.HOST);`;

let stage: Stage;
let address: URL;

beforeAll(async () => {
  stage = await openStage();
  const app = path.join(stage.folder, "echo");
  await mkdir(app);
  const processes = { web: { command: "node echo.cjs", ready: { http: "/" } } };
  await writeFile(path.join(app, "ramet.json"), JSON.stringify({ processes, database: false }));
  await writeFile(path.join(app, "echo.cjs"), ECHO);
  address = new URL(environmentSchema.parse(await stage.json(app, ["init"])).url ?? "");
}, 120_000);
afterAll(async () => stage.close());

test.each(["http", "https"] as const)(
  "a gigabyte goes up and comes down by %s, and the server stays as small as it was",
  async (scheme) => {
    const pid = serverStatusSchema.parse(await stage.json(stage.folder, ["server", "status"])).pid;
    const before = await readMegabytes(pid);
    let most = before;
    const watch = setInterval(() => {
      void readMegabytes(pid).then((now) => (most = Math.max(most, now)));
    }, 50);
    try {
      expect(await sendThrough(scheme)).toBe(SIZE_MB * MB);
    } finally {
      clearInterval(watch);
    }
    expect(most - before).toBeLessThan(MOST_GROWTH_MB);
  },
  300_000,
);

async function sendThrough(scheme: "http" | "https"): Promise<number> {
  const options: RequestOptions = {
    host: "127.0.0.1",
    port: address.port,
    method: "PUT",
    headers: { host: address.host },
  };
  const outgoing =
    scheme === "http"
      ? request(options)
      : requestSecurely({ ...options, servername: address.hostname, rejectUnauthorized: false });
  const chunk = Buffer.alloc(MB, "x");
  const received = new Promise<number>((resolve, reject) => {
    outgoing.once("error", reject).once("response", (answer) => {
      let bytes = 0;
      answer.on("data", (part: Buffer) => (bytes += part.length));
      answer.once("end", () => resolve(bytes)).once("error", reject);
    });
  });
  await pipeline(Readable.from(repeat(chunk, SIZE_MB)), outgoing);
  return received;
}

function* repeat(chunk: Buffer, times: number): Generator<Buffer> {
  for (let n = 0; n < times; n += 1) yield chunk;
}

async function readMegabytes(pid: number | null): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
