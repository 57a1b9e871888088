import { chmod, mkdir, rm, symlink } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createRepository } from "../../../test/git.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import { bindWorkspace, findWorkspace } from "../../workspace/workspace.ts";
import { CREATED, ENVIRONMENT } from "../fixtures/answers.ts";
import { send } from "../fixtures/call-server.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";
import { unbindFrom } from "./binding-change.ts";

let world: World;
let gone: { app: string; names: readonly string[]; home: string };

beforeEach(async () => {
  world = await createWorld();
  gone = { app: "shop", names: ["agent"], home: world.contextAt().home.folder };
});

afterEach(() => world.close());

async function readBound(folder = world.workspace): Promise<string | undefined> {
  return (await findWorkspace(folder)).binding?.environment;
}

const FAILED = { code: "setup_failed", message: "`npm ci` failed.", remedy: "Mend it." };
const CREATE = ["env", "create", "agent", "--use", "--app", "shop"];

/** A server on which making an environment fails, and that then says this of it. */
async function serveFailure(shown: object | null): Promise<void> {
  const unknown = { code: "environment_unknown", message: "No.", remedy: "No." };
  await world.serveWith(({ name }, response) => {
    if (name !== "environment.show") return send(response, { problem: FAILED });
    return send(response, shown === null ? { problem: unknown } : { result: shown });
  });
}

test("an environment that was made and whose setup failed is there to be looked into: the workspace is bound to it", async () => {
  const files = { kind: "linked", path: world.workspace };
  await serveFailure({ ...ENVIRONMENT, files, state: "broken", problems: [FAILED] });
  expect(await world.json(CREATE)).toEqual({ problem: FAILED });
  expect(await readBound()).toBe("agent");
});

test.runIf(process.getuid?.() !== 0)(
  "in a folder that may not be changed nothing is made",
  async () => {
    const asked: string[] = [];
    await world.serveWith(({ name }, response) => {
      asked.push(name);
      return send(response, { result: [] });
    });
    await chmod(world.workspace, 0o555);
    expect(await world.json(CREATE)).toMatchObject({ problem: { code: "file_unwritable" } });
    await chmod(world.workspace, 0o755);
    expect(asked).not.toContain("environment.create");
  },
);

test.each<[what: string, shown: object | null]>([
  ["nothing was made", null],
  ["one of that name was there before, and is well", ENVIRONMENT],
  [
    "one of that name was there before, and is broken by something else",
    { ...ENVIRONMENT, state: "broken", problems: [{ ...FAILED, code: "migrate_failed" }] },
  ],
])("where %s the workspace stays as it was", async (_what, shown) => {
  await serveFailure(shown);
  expect(await world.json(CREATE)).toEqual({ problem: FAILED });
  expect(await readBound()).toBeUndefined();
});

/** A server that makes an environment until its caller leaves, and says these of it one after another. */
async function serveUntilStopped(
  shown: readonly (object | null)[],
): Promise<{ stop: AbortController }> {
  const stop = new AbortController();
  const left = [...shown];
  await world.serveWith(({ name }, response) => {
    // Somebody presses Ctrl-C.
    if (name !== "environment.show") return stop.abort(new DOMException("Stopped.", "AbortError"));
    const next = left.length > 1 ? left.shift() : left[0];
    const unknown = { code: "environment_unknown", message: "No.", remedy: "No." };
    return send(response, next ? { result: next } : { problem: unknown });
  });
  return { stop };
}

const INTERRUPTED = {
  code: "preparation_interrupted",
  message: "Setting up agent was interrupted before it was done.",
  remedy: "Do it again with `ramet env start agent`.",
};

test("one whose setup the person stopped is bound once the server has noticed, and it is said how to go on", async () => {
  const made = { ...ENVIRONMENT, files: { kind: "linked", path: world.workspace } };
  const { stop } = await serveUntilStopped([
    { ...made, state: "creating" },
    { ...made, state: "creating" },
    { ...made, state: "broken", problems: [INTERRUPTED] },
  ]);

  const ran = await world.ramet(CREATE, { signal: stop.signal });

  expect(ran).toMatchObject({ exitCode: 130, err: expect.stringContaining(INTERRUPTED.remedy) });
  expect(await readBound()).toBe("agent");
});

test.each<[what: string, shown: object | null]>([
  ["before anything was made", null],
  ["while one of that name is there and well", ENVIRONMENT],
])("what the person stopped %s binds nothing", async (_what, shown) => {
  const { stop } = await serveUntilStopped([shown]);
  expect(await world.ramet(CREATE, { signal: stop.signal })).toMatchObject({ exitCode: 130 });
  expect(await readBound()).toBeUndefined();
});

test("an environment that runs on another folder is made and not bound here", async () => {
  const elsewhere = path.join(world.folder, "elsewhere");
  await mkdir(elsewhere);
  await world.serve({
    "environment.create": { ...CREATED, files: { kind: "linked", path: elsewhere } },
  });
  expect(await world.json(CREATE)).toMatchObject({
    problem: { code: "environment_of_other_folder", message: expect.stringContaining(elsewhere) },
  });
  expect(await readBound()).toBeUndefined();
});

test.each<[what: string, prepare: (folder: string) => Promise<void>]>([
  ["was removed", async (folder) => rm(folder, { recursive: true })],
  [
    "is a file now",
    async (folder) => {
      await rm(folder, { recursive: true });
      await writeAtomically(folder, "");
    },
  ],
])("an environment whose folder %s is no workspace's", async (_what, prepare) => {
  const folder = path.join(world.folder, "gone");
  await mkdir(folder);
  await prepare(folder);
  await world.serve({
    "environment.show": { ...ENVIRONMENT, files: { kind: "linked", path: folder } },
  });
  expect(await world.json(["env", "use", "agent", "--app", "shop"])).toMatchObject({
    problem: { code: "environment_of_other_folder" },
  });
});

test("an environment is bound where its folder is reached by a link", async () => {
  const link = path.join(world.folder, "link");
  await symlink(world.workspace, link);
  const files = { kind: "linked", path: world.workspace };
  await world.serve({ "environment.show": { ...ENVIRONMENT, files } });
  expect(
    await world.ramet(["env", "use", "agent", "--app", "shop"], { folder: link }),
  ).toMatchObject({
    exitCode: 0,
  });
  expect(await readBound()).toBe("agent");
});

test("unbinding takes the binding of what is gone, from below the workspace's root as well", async () => {
  await createRepository(world.workspace);
  await world.bind();
  const below = path.join(world.workspace, "src");
  await mkdir(below);
  await unbindFrom(below, gone);
  expect(await readBound()).toBeUndefined();
});

test.each([
  ["another app", { app: "other" }],
  ["another environment", { names: ["else"] }],
  ["none", { names: [] }],
  ["another server", { home: "/elsewhere" }],
])("when %s is gone, the binding stays", async (_what, change) => {
  await world.bind();
  await unbindFrom(world.workspace, { ...gone, ...change });
  expect(await readBound()).toBe("agent");
});

test("a folder that is gone too, and a binding that cannot be read, are nothing to fail for", async () => {
  await unbindFrom(path.join(world.folder, "never"), gone);
  const file = path.join(world.workspace, ".ramet", "environment.json");
  await mkdir(path.dirname(file));
  await writeAtomically(file, "{");
  await unbindFrom(world.workspace, gone);
  await expect(findWorkspace(world.workspace)).rejects.toMatchObject({ code: "binding_invalid" });
});

test("a binding that cannot be read is told with what to do about it", async () => {
  const file = path.join(world.workspace, ".ramet", "environment.json");
  await mkdir(path.dirname(file));
  await writeAtomically(file, "{");
  await world.serve({ "environment.show": ENVIRONMENT });
  expect(await world.json(["env", "show"])).toMatchObject({
    problem: { code: "binding_invalid", remedy: expect.stringContaining("ramet env use") },
  });
});

test("one workspace's binding is not another's, though they are of one environment", async () => {
  const other = path.join(world.folder, "other");
  await mkdir(other);
  await world.bind();
  await bindWorkspace(other, {
    app: "shop",
    environment: "agent",
    id: "abcdefghijklmnop",
    home: gone.home,
  });
  await unbindFrom(world.workspace, gone);
  expect(await readBound()).toBeUndefined();
  expect(await readBound(other)).toBe("agent");
});
