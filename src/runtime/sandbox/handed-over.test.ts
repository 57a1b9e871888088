import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import path from "node:path";

import { describe, expect, test } from "vitest";

import {
  findKeeperPid,
  LIMIT_MS,
  PROGRAMS,
  SEARCH_PATH,
  until,
  useBench,
} from "../../../test/programs/bench.ts";
import { ask, makeSandbox, startInside, TOOLS } from "../../../test/programs/sandbox.ts";
import { waitFor } from "../../base/clock.ts";
import { startDetachedWithChannel } from "../../process/process.ts";
import { findRuntime, type Runtime } from "../runtime.ts";
import type { Sandbox } from "./sandbox.ts";

const bench = useBench();
const PORT = 3000;

function serving(sandbox: Sandbox | null): Parameters<Runtime["apply"]>[0] {
  const process = {
    name: "web",
    command: `exec node '${path.join(PROGRAMS, "serves.mjs")}'`,
    folder: sandbox === null ? bench().folder : path.join(bench().folder, "tree"),
    port: PORT,
    ready: { kind: "port", timeoutMs: LIMIT_MS } as const,
    environment: { PATH: SEARCH_PATH, PORT: String(PORT) },
    sandbox,
    problem: null,
  };
  const inlets = bench().folder;
  return { processes: [process], relays: [], inlets, addresses: null, wayOut: null };
}

/** All that it answers to a request without another after it. */
async function answerOn(connection: Socket): Promise<string> {
  connection.end("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  let text = "";
  for await (const chunk of connection.setEncoding("utf8")) text += String(chunk);
  return text;
}

async function take(runtime: Runtime, port = PORT): Promise<Socket> {
  const dialled = await runtime.dial(port);
  if (dialled.kind !== "connected") throw new Error(dialled.kind);
  return dialled.connection;
}

describe.each(TOOLS)("sealed off by $tool", (tool) => {
  test("a port inside is reached by connections that the keeper hands over", async () => {
    const sandbox = await makeSandbox(bench().folder, tool, [PROGRAMS]);
    const runtime = await startInside(bench());
    await runtime.apply(serving(sandbox));
    await until(runtime, "ready");
    const texts = await Promise.all([1, 2, 3].map(async () => answerOn(await take(runtime))));
    for (const text of texts) expect(text).toMatch(/^HTTP\/1.1 200 [^]*app/);
    expect(await runtime.dial(PORT + 1)).toEqual({ kind: "refused" });
  });

  test("whoever did not start the keeper is handed nothing, and those who have a connection keep it", async () => {
    const sandbox = await makeSandbox(bench().folder, tool, [PROGRAMS]);
    const runtime = await startInside(bench());
    await runtime.apply(serving(sandbox));
    await until(runtime, "ready");
    const kept = await take(runtime);
    const other = await findRuntime(bench().place);
    expect(await other?.dial(PORT)).toEqual({ kind: "unavailable" });
    runtime.disconnect();
    expect(await runtime.dial(PORT)).toEqual({ kind: "unavailable" });
    expect(await answerOn(kept)).toContain("200 OK");
    other?.disconnect();
  });

  test("no process inside has an end of the channel by which they are handed over", async () => {
    const { folder } = bench();
    const sandbox = await makeSandbox(folder, tool);
    const runtime = await startInside(bench());
    // What it reads and prints is joined by sockets as well.
    const list = "for one in /proc/self/fd/*; do echo $one $(readlink $one); done";
    const more = /fd\/([3-9]|\d\d+) socket:/;
    // Whoever inherits it has it.
    const output = path.join(folder, "inherited");
    const heir = { file: "/bin/sh", args: ["-c", list], folder, environment: {}, user: null };
    await startDetachedWithChannel(heir, { output });
    const inherited = async (): Promise<true | undefined> =>
      more.test(await readFile(output, "utf8")) || undefined;
    expect(await waitFor(inherited, { timeoutMs: LIMIT_MS })).toBe(true);

    expect(await ask(runtime, bench(), { sandbox, command: list })).not.toMatch(more);
    expect(await ask(runtime, bench(), { sandbox: null, command: list })).not.toMatch(more);
  });
});

test("a keeper that is killed leaves those who wait for a connection without one, at once", async () => {
  for (const _ of TOOLS.slice(0, 1)) {
    const runtime = await startInside(bench());
    process.kill(await findKeeperPid(bench()), "SIGKILL");
    expect(await runtime.dial(PORT)).toEqual({ kind: "unavailable" });
  }
});
