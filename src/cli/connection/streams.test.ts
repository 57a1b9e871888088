import { afterEach, beforeEach, expect, test } from "vitest";

import { runCli } from "../cli.ts";
import { ENVIRONMENT, LINE, STATUS } from "../fixtures/answers.ts";
import { send } from "../fixtures/call-server.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.close());

test("logs are a bare array for a program, and lines for a person", async () => {
  await world.bind();
  await world.serveWith(({ name }, response) =>
    name === "environment.show"
      ? send(response, { result: ENVIRONMENT })
      : send(response, { line: LINE }, { line: LINE }, { result: {} }),
  );
  expect(await world.json(["logs"])).toEqual([LINE, LINE]);
  expect((await world.ramet(["logs"])).out).toMatch(/^Jan 01 \d\d:\d\d:\d\d web │ hello\n/);
});

test("followed logs are one object a line, until they are stopped, which is no failure", async () => {
  await world.bind();
  const stop = new AbortController();
  await world.serveWith(({ name }, response) => {
    if (name === "environment.show") return send(response, { result: ENVIRONMENT });
    return void response.write(
      `${JSON.stringify({ line: LINE })}\n${JSON.stringify({ line: LINE })}\n`,
    );
  });
  const context = world.contextAt({ signal: stop.signal });
  const { write } = context.stdout;
  let seen = 0;
  const stdout = {
    ...context.stdout,
    write: (text: string) => {
      write(text);
      seen += 1;
      if (seen === 2) stop.abort(new DOMException("Stopped.", "AbortError"));
    },
  };
  expect(await runCli(["logs", "-f", "--json"], { ...context, stdout })).toBe(0);
  expect(context.out()).toBe(`${JSON.stringify(LINE)}\n`.repeat(2));
});

test("a followed log goes on when the server was restarted, and does not repeat itself", async () => {
  await world.bind();
  const first = await world.serveWith(({ name }, response) => {
    if (name === "environment.show") return send(response, { result: ENVIRONMENT });
    return void response.write(`${JSON.stringify({ line: LINE })}\n`, () =>
      response.socket?.destroy(),
    );
  });
  const running = world.ramet(["logs", "-f", "--json"]);
  await expect.poll(() => first.calls.map(({ name }) => name)).toContain("environment.logs");
  await first.close();
  const again = { ...LINE, text: "again" };
  const second = await world.serveWith(({ name }, response) =>
    name === "server.status"
      ? send(response, { result: STATUS })
      : // What it had shown already comes once more.
        send(response, { line: LINE }, { line: again }, { result: {} }),
  );
  const { exitCode, out } = await running;
  expect(exitCode).toBe(0);
  expect(out).toBe(`${JSON.stringify(LINE)}\n${JSON.stringify(again)}\n`);
  const question = { last: 100_000, since: LINE.time, follow: true };
  expect(second.calls.at(-1)?.input).toMatchObject(question);
});

test("a stream that is lost again and again without a line is given up", async () => {
  await world.bind();
  await world.serveWith(({ name }, response) => {
    if (name === "server.status") return send(response, { result: STATUS });
    if (name === "environment.show") return send(response, { result: ENVIRONMENT });
    response.flushHeaders();
    return void response.socket?.destroy();
  });
  expect(await world.json(["logs", "-f"])).toMatchObject({ problem: { code: "connection_lost" } });
});
