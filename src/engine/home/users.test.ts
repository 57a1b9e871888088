import { chown, mkdir, readFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import type { FilesRecord } from "../../environment/environment.ts";
import { createFolder, layoutIn, removeFolder, STRANGER } from "../test-engine.ts";
import type { Layout } from "./layout.ts";
import { findProcessUser, isPersons, isRoot } from "./users.ts";

const IS_ROOT = process.getuid?.() === 0;
/** No line of any password file names it. */
const NAMELESS = 799_999;

let folder: string;
let layout: Layout;
let tree: string;
beforeEach(async () => {
  folder = await createFolder();
  layout = layoutIn(folder);
  tree = path.join(folder, "tree");
  await mkdir(tree);
});
afterEach(async () => removeFolder(folder));

function running(
  kind: FilesRecord["kind"],
  uid: number | null,
): Parameters<typeof findProcessUser>[1] {
  return { id: STRANGER, uid, files: { kind, path: tree } };
}

test("root is known by its uid", () => {
  expect(isRoot()).toBe(IS_ROOT);
});

test.runIf(!IS_ROOT)("an ordinary user's environments run as that user", async () => {
  expect(await findProcessUser(layout, running("linked", null))).toBeNull();
  expect(await findProcessUser(layout, running("kept", null))).toBeNull();
});

test.runIf(IS_ROOT)("root's own folder is run as root, and nobody else's is", async () => {
  expect(await findProcessUser(layout, running("linked", 700_001))).toBeNull();

  await chown(tree, NAMELESS, NAMELESS);
  expect(await findProcessUser(layout, running("linked", 700_001))).toEqual({
    uid: NAMELESS,
    gid: NAMELESS,
    home: layout.userHome(STRANGER),
    name: `uid-${NAMELESS}`,
  });
});

test("processes are somebody's where his folder is linked and the server is not his", () => {
  const user = { uid: 712_345, gid: 712_345, home: "/", name: "x" };
  expect(isPersons(running("linked", null), user)).toBe(true);
  expect(isPersons(running("linked", null), null)).toBe(false);
  expect(isPersons(running("kept", user.uid), user)).toBe(false);
});

test.runIf(IS_ROOT)(
  "a linked folder's owner has the name and home of the password file",
  async () => {
    const lines = (await readFile("/etc/passwd", "utf8")).split("\n");
    const [name = "", , uid, gid, , home] = lines[1]?.split(":") ?? [];
    await chown(tree, Number(uid), 0);
    expect(await findProcessUser(layout, running("linked", null))).toEqual({
      name,
      home,
      uid: Number(uid),
      gid: Number(gid),
    });
  },
);

test.runIf(IS_ROOT)(
  "a kept tree is run as its environment's own user, whoever owns it",
  async () => {
    expect(await findProcessUser(layout, running("kept", 700_001))).toEqual({
      uid: 700_001,
      gid: 700_001,
      home: layout.userHome(STRANGER),
      name: "ramet-700001",
    });
    expect(await findProcessUser(layout, running("kept", null))).toBeNull();
  },
);
