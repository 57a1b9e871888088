import { once } from "node:events";
import { createServer } from "node:http";
import { type Server, connect } from "node:net";
import path from "node:path";

import { afterEach, describe, expect, test } from "vitest";

import { LIMIT_MS, useBench } from "../../../test/programs/bench.ts";
import { ask, makeSandbox, startInside, TOOLS } from "../../../test/programs/sandbox.ts";
import { waitFor } from "../../base/clock.ts";
import { exists } from "../../base/remove-inside.ts";
import type { Runtime } from "../runtime.ts";
import { runDialer } from "./dialer.ts";

const bench = useBench();
/** One of the ports on which services outside are expected. */
const PORT = 9_243;
/** What the world consists of. */
const WORLD: Readonly<Record<string, readonly string[]>> = {
  "outside.example": ["127.0.0.1"],
  "api.outside.example": ["127.0.0.1"],
  "down.example": ["127.0.0.1"],
};

let stop = new AbortController();
let servers: Server[] = [];

afterEach(async () => {
  stop.abort();
  stop = new AbortController();
  for (const server of servers) server.close();
  servers = [];
});

async function openWorld(): Promise<string> {
  const server = createServer((request, response) => {
    response.end(`the world heard ${request.headers.host}`);
  });
  server.listen(PORT, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  const socket = path.join(bench().folder, "way-out");
  void runDialer(socket, { mode: 0o600, idleMs: LIMIT_MS, signal: stop.signal, find: findInWorld });
  await waitFor(async () => ((await exists(socket)) ? true : undefined), { timeoutMs: LIMIT_MS });
  return socket;
}

async function findInWorld(host: string): Promise<readonly string[]> {
  return WORLD[host] ?? [];
}

function fetching(url: string): string {
  return `node -e 'fetch("${url}", { signal: AbortSignal.timeout(20000) }).then((r) => r.text()).then(console.log, (e) => console.log(e.cause?.code ?? e))'`;
}

async function goOut(
  runtime: Runtime,
  socket: string,
  hosts: readonly string[] | null,
): Promise<void> {
  await runtime.apply({
    processes: [],
    relays: [],
    inlets: null,
    addresses: null,
    wayOut: { socket, hosts, taken: [] },
  });
}

describe.each(TOOLS)("sealed off by $tool", (tool) => {
  test("any program reaches a name outside as if it were on the machine's network", async () => {
    const sandbox = await makeSandbox(bench().folder, tool);
    const socket = await openWorld();
    const runtime = await startInside(bench());
    const command = fetching(`http://outside.example:${PORT}/`);
    expect(await ask(runtime, bench(), { sandbox, command })).toMatch(/EAI_AGAIN|ENOTFOUND/);

    await goOut(runtime, socket, null);
    expect(await ask(runtime, bench(), { sandbox, command })).toContain(
      `the world heard outside.example:${PORT}`,
    );
  });

  test("a name that nobody has is not found, and one whose service is down resets", async () => {
    const sandbox = await makeSandbox(bench().folder, tool);
    const runtime = await startInside(bench());
    await goOut(runtime, await openWorld(), null);

    expect(
      await ask(runtime, bench(), { sandbox, command: fetching("http://nobody.example/") }),
    ).toContain("ENOTFOUND");
    expect(
      await ask(runtime, bench(), { sandbox, command: fetching("http://down.example:9092/") }),
    ).toContain("ECONNRESET");
  });

  test("where names are listed those and the ones below them are reached, and no other, by name or address", async () => {
    const sandbox = await makeSandbox(bench().folder, tool);
    const runtime = await startInside(bench());
    const socket = await openWorld();
    const command = [`http://outside.example:${PORT}/`, `http://api.outside.example:${PORT}/`]
      .map(fetching)
      .join("; ");
    await goOut(runtime, socket, null);
    expect(
      (await ask(runtime, bench(), { sandbox, command })).match(/the world heard/g),
    ).toHaveLength(2);

    await goOut(runtime, socket, ["api.outside.example"]);
    const seen = await ask(runtime, bench(), { sandbox, command });
    expect(seen).toContain("the world heard api.outside.example");
    expect(seen).not.toContain("the world heard outside.example");
    for (const url of [
      `http://127.0.0.1:${PORT}/`,
      `http://198.18.0.99:${PORT}/`,
      "http://1.1.1.1/",
    ])
      expect(await ask(runtime, bench(), { sandbox, command: fetching(url) })).toMatch(
        /ECONNREFUSED|ENETUNREACH/,
      );
  });

  test("a dialer that was killed is gone back to when another takes its place", async () => {
    const sandbox = await makeSandbox(bench().folder, tool);
    const runtime = await startInside(bench());
    const command = fetching(`http://outside.example:${PORT}/`);
    const socket = await openWorld();
    await goOut(runtime, socket, null);
    stop.abort();
    await waitFor(async () => ((await exists(socket)) ? undefined : true), { timeoutMs: LIMIT_MS });
    expect(await ask(runtime, bench(), { sandbox, command })).not.toContain("the world heard");

    stop = new AbortController();
    for (const server of servers.splice(0)) server.close();
    await openWorld();
    expect(await ask(runtime, bench(), { sandbox, command })).toContain("the world heard");
  });
});

test("a dialer brings nobody to this machine itself, whatever the name", async () => {
  const server = createServer((_, response) => void response.end("reached")).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const dial = async (socket: string): Promise<string> => {
    const near = connect(socket);
    near.write(
      `${JSON.stringify({ kind: "dial", host: "localhost", port })}\nGET / HTTP/1.0\r\n\r\n`,
    );
    let heard = "";
    for await (const chunk of near) heard += String(chunk);
    return heard;
  };
  const [guarded, open] = ["guarded", "open"].map((name) => path.join(bench().folder, name));
  const options = { mode: 0o600, idleMs: LIMIT_MS, signal: stop.signal };
  void runDialer(guarded ?? "", options);
  void runDialer(open ?? "", { ...options, find: async () => ["127.0.0.1"] });
  await waitFor(
    async () => ((await exists(open ?? "")) && (await exists(guarded ?? "")) ? true : undefined),
    { timeoutMs: LIMIT_MS },
  );

  expect(await dial(open ?? "")).toContain("reached");
  expect(await dial(guarded ?? "")).toBe("");
});

test("a dialer that nobody needs any more ends by itself, and not before", async () => {
  const socket = path.join(bench().folder, "way-out");
  const running = runDialer(socket, { mode: 0o600, idleMs: 1_000, signal: stop.signal });
  await waitFor(async () => ((await exists(socket)) ? true : undefined), { timeoutMs: LIMIT_MS });
  const stays = connect(socket);
  stays.write('{"kind":"stay"}\n');
  let isOver = false;
  void running.then(() => (isOver = true));
  expect(await waitFor(() => (isOver ? true : undefined), { timeoutMs: 2_500 })).toBeUndefined();

  stays.destroy();
  await running;
  expect(await exists(socket)).toBe(false);
});

test("what is no errand is hung up on", async () => {
  const socket = path.join(bench().folder, "way-out");
  void runDialer(socket, { mode: 0o600, idleMs: LIMIT_MS, signal: stop.signal });
  await waitFor(async () => ((await exists(socket)) ? true : undefined), { timeoutMs: LIMIT_MS });
  for (const text of ["GET / HTTP/1.1\r\n\r\n", "x".repeat(10_000), '{"kind":"listen"}\n']) {
    const near = connect(socket).on("error", () => undefined);
    near.write(text);
    await once(near, "close");
    expect(near.bytesRead).toBe(0);
  }
});
