import { afterEach, beforeEach, expect, test } from "vitest";

import { bindWorkspace } from "../../workspace/workspace.ts";
import { runCli } from "../cli.ts";
import { CREATED, ENVIRONMENT, LINE, STATUS } from "../fixtures/answers.ts";
import { send } from "../fixtures/call-server.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";
import { Session } from "./session.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.close());

function sessionOf(flags: readonly string[] = [], values: Record<string, string> = {}): Session {
  return new Session(world.contextAt(), {
    flags: new Set(flags),
    values: new Map(Object.entries(values)),
    positionals: new Map(),
    rest: [],
  });
}

test("the workspace is looked at once, however often it is asked for", async () => {
  const session = sessionOf();
  const first = await session.workspace();
  await world.bind();
  expect(await session.workspace()).toBe(first);
  expect((await sessionOf().workspace()).binding).toMatchObject({ environment: "agent" });
});

test("the bound environment's id is known, and that of another server's is none of ours", async () => {
  expect(await sessionOf().boundId()).toBeNull();
  await world.bind();
  expect(await sessionOf().boundId()).toBe("abcdefghijklmnop");
  await bindWorkspace(world.workspace, {
    app: "shop",
    environment: "agent",
    id: "abcdefghijklmnop",
    home: "/elsewhere",
  });
  expect(await sessionOf().boundId()).toBeNull();
});

test("a name where the arguments say one, --env where they do not, the binding where neither does", async () => {
  await world.bind();
  await world.serve({});
  expect(await sessionOf().target("X")).toMatchObject({ environment: "x" });
  expect(await sessionOf([], { env: "Y" }).target()).toMatchObject({ environment: "y" });
  expect(await sessionOf().target()).toEqual({ app: "shop", environment: "agent" });
  await expect(sessionOf([], { env: "y" }).target("x")).rejects.toMatchObject({
    code: "flags_exclusive",
  });
});

test("what is asked for by its name is not looked up before it is asked about", async () => {
  await world.bind();
  const { calls } = await world.serve({});
  await sessionOf().target("other");
  expect(calls).toEqual([]);
});

test.each<[what: string, problem: string]>([
  ["environment", "environment_unknown"],
  ["app", "app_unknown"],
])(
  "a bound %s that the server does not know is a stale binding, in every command",
  async (_what, code) => {
    await world.bind();
    const problem = { code, message: "No.", remedy: "No." };
    await world.serveWith((_call, response) => send(response, { problem }));
    for (const argv of [["env", "show"], ["push"], ["var", "list"], ["logs", "-f"], ["dev"]])
      expect(await world.json(argv)).toMatchObject({ problem: { code: "binding_stale" } });
  },
);

test("a problem that is about something else than the binding is told as it is", async () => {
  await world.bind();
  const problem = { code: "environment_unknown", message: "No x.", remedy: "No." };
  await world.serveWith(({ name }, response) =>
    send(response, name === "environment.show" ? { result: ENVIRONMENT } : { problem }),
  );
  expect(await world.json(["var", "import", "--from", "x", "--all"])).toEqual({ problem });
});

test("a problem that the server has with the binding's check is told as that", async () => {
  await world.bind();
  const problem = { code: "record_unreadable", message: "Damaged.", remedy: "Mend it." };
  await world.serveWith((_call, response) => send(response, { problem }));
  expect(await world.json(["push"])).toEqual({ problem });
});

test("lines of a long call are no answer, and are shown to nobody who wants one value", async () => {
  await world.serveWith((_call, response) =>
    send(response, { line: { ...LINE, process: "setup" } }, { result: CREATED }),
  );
  const argv = ["env", "create", "agent", "--app", "shop"];
  expect(await world.json(argv)).toEqual(CREATED);
  expect((await world.ramet([...argv, "--quiet"])).err).toBe("");
});

test("a note is for people alone", () => {
  for (const [flags, said] of [
    [[], "a note\n"],
    [["json"], ""],
    [["quiet"], ""],
  ] as const) {
    const context = world.contextAt();
    const parsed = { flags: new Set(flags), values: new Map(), positionals: new Map(), rest: [] };
    new Session(context, parsed).note("a note");
    expect(context.err()).toBe(said);
  }
});

test("a stopped call ends at once, without a word and as a shell reports it", async () => {
  const stop = new AbortController();
  await world.serveWith((_call, response) => {
    response.flushHeaders();
    stop.abort(new DOMException("Stopped.", "AbortError"));
  });
  const context = world.contextAt({ signal: stop.signal });
  expect(await runCli(["app", "list"], context)).toBe(130);
  expect(context.out() + context.err()).toBe("");
});

test("a followed log that waits for a restarted server can be stopped", async () => {
  await world.bind();
  const stop = new AbortController();
  await world.serveWith(({ name }, response) => {
    if (name === "environment.show") return send(response, { result: ENVIRONMENT });
    if (name === "server.status") return send(response, { result: STATUS });
    response.write(`${JSON.stringify({ line: LINE })}\n`, () => {
      stop.abort(new DOMException("Stopped.", "AbortError"));
    });
    return undefined;
  });
  const context = world.contextAt({ signal: stop.signal });
  expect(await runCli(["logs", "-f", "--json"], context)).toBe(0);
});

test("with RAMET_TRACE a failure shows where it came from, and is otherwise the same", async () => {
  await world.serveWith((_call, response) => send(response, { bug: "x is undefined" }));
  const quiet = await world.ramet(["app", "list"]);
  const environment = { PATH: "/usr/bin:/bin", RAMET_TRACE: "1" };
  const traced = await world.ramet(["app", "list"], { environment });
  expect(quiet).toMatchObject({ exitCode: 1, out: "" });
  expect(quiet.err).not.toContain("client.ts");
  expect(traced.err.startsWith(quiet.err)).toBe(true);
  expect(traced.err).toContain("client.ts");
});
