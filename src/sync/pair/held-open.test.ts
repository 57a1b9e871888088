import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, listOpenIn, openFolders, put } from "../../../test/sync/folders.ts";
import { OtherMachine } from "../../../test/sync/other-machine.ts";
import { pull, push, transferFar } from "../sync.ts";

let folders: Folders;

beforeEach(async () => {
  folders = await openFolders();
  await put(folders.sides.local, { "a.txt": "a", "in/b.txt": "b" });
});
afterEach(async () => folders.close());

const plainly = { force: false } as const;

test.runIf(process.platform === "linux")(
  "a tree that nobody transfers to or from is not held open: its disk can be unmounted",
  async () => {
    const { sides, root } = folders;
    await push(sides, plainly);
    await put(sides.remote, { "c.txt": "c" });
    await pull(sides, plainly);
    await expect(push({ ...sides, remote: `${root}/none` }, plainly)).rejects.toThrow("none");
    expect(await listOpenIn(root)).toEqual([]);
    const machine = new OtherMachine(sides);
    await put(sides.local, { "d.txt": "d" });
    expect((await transferFar(machine.sides, plainly, "push")).changed).toEqual(["d.txt"]);
    expect(await listOpenIn(root)).toEqual([]);
    machine.close();
  },
);
