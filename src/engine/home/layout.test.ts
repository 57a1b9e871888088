import { chmod, readdir, stat } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { isEnvironmentId } from "../../environment/environment.ts";
import { parseAppName, parseEnvironmentName } from "../../environment/name.ts";
import { findHome } from "../../protocol/home.ts";
import { createFolder, layoutIn, removeFolder } from "../test-engine.ts";
import {
  createEnvironmentId,
  Layout,
  makeDatabaseSocketFolder,
  makeEnvironmentFolders,
  makeHome,
} from "./layout.ts";

const IS_ROOT = process.getuid?.() === 0;
/** Root's environments run as other users, who pass through; else everything is the user's own alone. */
const OUTER_MODE = IS_ROOT ? 0o711 : 0o700;

let folder: string;
let layout: Layout;
beforeEach(async () => {
  folder = await createFolder();
  layout = layoutIn(folder);
});
afterEach(async () => removeFolder(folder));

async function modeOf(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777;
}

test("each database of an environment has a folder of its own, and one that is to replace another a socket of its own", () => {
  const id = createEnvironmentId();
  const own = layout.databasePlace({ id, uid: null });
  const first = layout.databasePlace({ id, uid: null, generation: 1 });
  const second = layout.databasePlace({ id, uid: null, generation: 2 });
  expect(first).toEqual(own);
  expect(second).toEqual({ ...own, folder: `${own.folder}.2` });
  const replacement = layout.resetPlace({ id, uid: null, generation: 2 }, own.limits);
  expect(replacement).toEqual({ ...second, socketFolder: layout.resetSockets(id) });
  expect(replacement.socketFolder).not.toBe(own.socketFolder);
});

test("everything of an environment lies below a folder that its id names", () => {
  const id = createEnvironmentId();
  const own = path.join(layout.data, id);
  const { folder: database, log } = layout.databasePlace({ id, uid: null });
  const { logs } = layout.runtimePlace(id, null);
  const files = [layout.kept(id), layout.variables(id), layout.userHome(id)];

  for (const file of [database, log, logs, ...files]) expect(path.dirname(file)).toBe(own);
  expect(new Set([database, log, logs, ...files]).size).toBe(6);
});

test("its own files and what sync keeps of them lie in one folder, alone", () => {
  const id = createEnvironmentId();
  const files = { path: layout.files(id) };
  expect(path.dirname(files.path)).toBe(layout.kept(id));
  expect(path.dirname(layout.sync(files))).toBe(layout.kept(id));
  expect(layout.sync(files)).not.toBe(files.path);
});

test("its sockets lie in folders of their own, named by eight characters of its id", () => {
  const id = createEnvironmentId();
  const { socketFolder } = layout.databasePlace({ id, uid: null });
  const { socket } = layout.runtimePlace(id, null);

  expect(path.relative(layout.home.sockets, socketFolder)).toBe(id.slice(0, 8));
  expect(path.relative(layout.home.sockets, socket)).toBe(`${id.slice(0, 8)}k/keeper.sock`);
});

test.each([
  ["short", "/home/ann/.ramet"],
  ["just short enough", `/${"a".repeat(73)}`],
  ["long", `/${"home/".repeat(40)}ann`],
  ["of two-byte letters", `/${"é".repeat(60)}`],
])("every socket's path fits in the system's 104 bytes where the home's is %s", (_, home) => {
  for (const [uid, runtime] of [
    [0, undefined],
    [4_294_967_294, undefined],
    [1000, "/run/user/1000"],
    [1000, `/${"r".repeat(100)}`],
  ] as const) {
    const surroundings = {
      environment: { RAMET_HOME: home, XDG_RUNTIME_DIR: runtime },
      uid,
      userHome: "/home/ann",
    };
    const { folder: at, sockets, socket } = findHome(surroundings);
    const placed = new Layout({ folder: at, shared: at, sockets, id: "x" });
    const id = createEnvironmentId();
    const paths = [
      socket,
      `${placed.databaseSockets(id)}/.s.PGSQL.5432`,
      placed.runtimePlace(id, null).socket,
    ];
    for (const one of paths) expect(Buffer.byteLength(one)).toBeLessThan(104);
  }
});

test("an environment's marks tell its own processes from those of another home, and its parts from each other", () => {
  const id = createEnvironmentId();
  const other = new Layout({ ...layout.home, id: "otherhome" });
  const marks = [
    layout.databasePlace({ id, uid: null }).mark,
    layout.runtimePlace(id, null).mark,
    other.runtimePlace(id, null).mark,
  ];
  expect(marks).toEqual([
    `testhome.${id}.database`,
    `testhome.${id}.runtime`,
    `otherhome.${id}.runtime`,
  ]);
});

test("a record lies where its app's and its own name say", () => {
  const file = layout.record(parseAppName("shop"), parseEnvironmentName("agent"));
  expect(path.relative(layout.home.folder, file)).toBe("apps/shop/environments/agent.json");
});

test("every id is a new one", () => {
  const ids = Array.from({ length: 2_000 }, createEnvironmentId);
  expect(ids.filter((id) => !isEnvironmentId(id))).toEqual([]);
  expect(new Set(ids.map((id) => id.slice(0, 8))).size).toBe(2_000);
});

test("a home's folders let others pass only where root's environments need it, also when they were open before", async () => {
  await makeHome(layout);
  await chmod(layout.data, 0o777);
  await makeHome(layout);

  const { home, data, apps, templates, keys } = layout;
  for (const one of [home.folder, home.sockets, data, apps, templates])
    expect(await modeOf(one)).toBe(OUTER_MODE);
  expect(await modeOf(keys)).toBe(0o700);
});

test("an environment's folders are closed to everybody but those who work there", async () => {
  await makeHome(layout);
  const id = createEnvironmentId();
  await makeEnvironmentFolders(layout, { id, uid: null, user: null });

  expect(await modeOf(layout.folder(id))).toBe(OUTER_MODE);
  expect(await modeOf(layout.databaseSockets(id))).toBe(OUTER_MODE);
  for (const one of [layout.logs(id), layout.userHome(id), layout.keeperSockets(id)])
    expect(await modeOf(one)).toBe(0o700);
  expect((await readdir(layout.folder(id))).toSorted()).toEqual(["home", "logs", "tmp"]);
});

test("folders are made for a new environment alone, never over those of another", async () => {
  await makeHome(layout);
  const id = createEnvironmentId();
  await makeEnvironmentFolders(layout, { id, uid: null, user: null });
  await expect(makeEnvironmentFolders(layout, { id, uid: null, user: null })).rejects.toThrow(
    "EEXIST",
  );
});

test("the sockets' folders are made again where a restart of the machine took them away", async () => {
  const id = createEnvironmentId();
  await makeDatabaseSocketFolder(layout, { id, uid: null });
  await makeDatabaseSocketFolder(layout, { id, uid: null });
  expect(await modeOf(layout.databaseSockets(id))).toBe(OUTER_MODE);
});

test.runIf(IS_ROOT)(
  "as root each folder belongs to whoever writes there, and to nobody else",
  async () => {
    await makeHome(layout);
    const id = createEnvironmentId();
    const user = { uid: 700_001, gid: 700_002, home: "/home/ann", name: "ann" };
    await makeEnvironmentFolders(layout, { id, uid: 700_003, user });

    const owners = await Promise.all(
      [
        layout.folder(id),
        layout.logs(id),
        layout.userHome(id),
        layout.keeperSockets(id),
        layout.databaseSockets(id),
      ].map(async (one) => {
        const { uid, gid } = await stat(one);
        return [uid, gid];
      }),
    );
    expect(owners).toEqual([
      [0, 0],
      [700_001, 700_002],
      [700_001, 700_002],
      [700_001, 700_002],
      [700_003, 700_003],
    ]);
  },
);
