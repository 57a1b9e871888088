import { readFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { writeAtomically } from "../../base/write-atomically.ts";
import { runCli } from "../cli.ts";
import { ENVIRONMENT } from "../fixtures/answers.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";
import type { Context } from "../terminal/context.ts";

let world: World;
let bin: string;
let seen: string;

/** A folder of programs that is all the PATH there is besides the system's own shell. */
beforeEach(async () => {
  world = await createWorld();
  await world.bind();
  bin = world.folder;
  seen = path.join(world.folder, "seen");
});

afterEach(() => world.close());

async function install(name: string, script: string): Promise<void> {
  await writeAtomically(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** At a terminal with a screen, as far as the environment says. */
function atScreen(environment: Record<string, string>): Context & { out(): string } {
  const context = world.contextAt({ environment: { PATH: bin, ...environment } });
  const stdout = { ...context.stdout, isTerminal: true, columns: 80 };
  return { ...context, stdout };
}

const OPENER = process.platform === "darwin" ? "open" : "xdg-open";

test("open hands the address to the screen's own program, and says so", async () => {
  await install(OPENER, `printf %s "$*" > '${seen}'`);
  await world.serve({});
  const context = atScreen({ DISPLAY: ":0", NO_COLOR: "1" });
  expect(await runCli(["open"], context)).toBe(0);
  expect(await readFile(seen, "utf8")).toBe(ENVIRONMENT.url);
  expect(context.out()).toBe(`✓ ${ENVIRONMENT.url}\n`);
});

test.each<[what: string, script: string | null]>([
  ["fails", "exit 3"],
  ["is not there", null],
])("where the program that opens %s, the address is what is left", async (_what, script) => {
  if (script !== null) await install(OPENER, script);
  await world.serve({});
  const context = atScreen({ WAYLAND_DISPLAY: "wayland-0", NO_COLOR: "1" });
  expect(await runCli(["open"], context)).toBe(0);
  expect(context.out()).toBe(`${ENVIRONMENT.url}\n`);
});

test("for a program nothing is opened, whatever the screen", async () => {
  await install(OPENER, `printf opened > '${seen}'`);
  await world.serve({});
  const context = atScreen({ DISPLAY: ":0" });
  expect(await runCli(["open", "--json"], context)).toBe(0);
  expect(JSON.parse(context.out())).toEqual({ url: ENVIRONMENT.url, opened: false });
  await expect(readFile(seen, "utf8")).rejects.toMatchObject({ code: "ENOENT" });
});

test("an environment without a URL has nothing to open", async () => {
  await world.serve({ "environment.show": { ...ENVIRONMENT, url: null } });
  expect(await world.json(["open"])).toMatchObject({
    problem: { code: "address_missing", message: expect.stringContaining("shop/agent") },
  });
});

test("psql gets the address by its environment, never as an argument, and its own arguments and exit code are passed", async () => {
  await install(
    "psql",
    `printf '%s|' "$#" "$@" "$PGHOST" "$PGPORT" "$PGUSER" "$PGPASSWORD" "$PGDATABASE" > '${seen}'; exit 3`,
  );
  const databaseUrl = "postgres://us%40er:p%2Fw%3A@127.0.0.1:7421/sh%20op";
  await world.serve({ "environment.show": { ...ENVIRONMENT, databaseUrl } });
  const argv = ["db", "psql", "--", "-c", "select 'a b'", "--json"];
  const ran = await world.ramet(argv, { environment: { PATH: bin } });
  expect(ran).toEqual({ exitCode: 3, out: "", err: "" });
  expect(await readFile(seen, "utf8")).toBe(
    "3|-c|select 'a b'|--json|127.0.0.1|7421|us@er|p/w:|sh op|",
  );
});

test("without psql, and without a database, it is said what there is instead", async () => {
  await world.serve({});
  const nothing = { environment: { PATH: bin } };
  expect(await world.json(["db", "psql"], nothing)).toMatchObject({
    problem: { code: "tool_missing", remedy: expect.stringContaining("ramet db query") },
  });
  await world.serve({ "environment.show": { ...ENVIRONMENT, databaseUrl: null } });
  expect(await world.json(["db", "psql"], nothing)).toMatchObject({
    problem: { code: "address_missing" },
  });
});

test("while a program has the terminal, what the person stops is that program", async () => {
  await install("job", `printf ran > '${seen}'`);
  await world.serve({ "environment.variables": {} });
  const order: string[] = [];
  const context = world.contextAt({ environment: { PATH: bin } });
  const shielded = async <T>(work: () => Promise<T>): Promise<T> => {
    order.push("begins");
    const result = await work();
    order.push(`ends after ${await readFile(seen, "utf8")}`);
    return result;
  };
  expect(await runCli(["run", "--", "job"], { ...context, shielded })).toBe(0);
  expect(order).toEqual(["begins", "ends after ran"]);
});

test.each([
  ["TERM", 143],
  ["HUP", 129],
  ["USR1", process.platform === "darwin" ? 158 : 138],
])("a program that SIG%s ended has exit code %i", async (signal, exitCode) => {
  await install("job", `kill -${signal} $$; sleep 20`);
  await world.serve({ "environment.variables": {} });
  const ran = await world.ramet(["run", "--", "job"], { environment: { PATH: `${bin}:/bin` } });
  expect(ran.exitCode).toBe(exitCode);
});

test("run is for the workspace's environment unless another is named, and needs one", async () => {
  await install("job", `printf %s "$WHO" > '${seen}'`);
  const { calls } = await world.serve({ "environment.variables": { WHO: "theirs" } });
  await world.ramet(["run", "--env", "other", "--", "job"], { environment: { PATH: bin } });
  expect(calls.at(-1)).toMatchObject({ input: { app: "shop", environment: "other" } });
  expect(await readFile(seen, "utf8")).toBe("theirs");
  const elsewhere = { folder: world.folder, environment: { PATH: bin } };
  const unbound = await world.ramet(["run", "--json", "--app", "shop", "--", "job"], elsewhere);
  expect(unbound.out).toContain('"environment_unbound"');
});

test("serve runs the server that this program was given, in its own version, and passes its exit code on", async () => {
  const versions: string[] = [];
  const context = world.contextAt({
    serve: (version) => {
      versions.push(version);
      return Promise.resolve(4);
    },
  });
  expect(await runCli(["serve"], context)).toBe(4);
  const { version }: { version: string } = Object(await world.json(["version"]));
  expect(versions).toEqual([version]);
});
