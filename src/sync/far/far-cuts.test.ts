import { randomBytes } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders, put, read } from "../../../test/sync/folders.ts";
import { codeOf, OtherMachine } from "../../../test/sync/other-machine.ts";
import { compareFar, transferFar } from "../sync.ts";

const NOTHING = { local: [], remote: [], conflicts: [] };
/** More messages than a small transfer has. */
const MOST_CUTS = 60;

let folders: Folders;
let machine: OtherMachine;
let here: string;
let there: string;

beforeEach(async () => {
  folders = await openFolders();
  machine = new OtherMachine(folders.sides);
  ({ local: here, remote: there } = folders.sides);
});
afterEach(async () => {
  machine.close();
  await folders.close();
});

const push = async (force = false): ReturnType<typeof transferFar> =>
  transferFar(machine.sides, { force }, "push");
const pull = async (force = false): ReturnType<typeof transferFar> =>
  transferFar(machine.sides, { force }, "pull");

/** Cuts the wire after each message in turn, until there are no more of them; `check` sees what the cut has left. */
async function cutEverywhere(
  round: (count: number) => Promise<void>,
  check: (count: number) => Promise<void>,
  from = 0,
): Promise<readonly string[]> {
  for (let count = from; count < MOST_CUTS; count += 1) {
    await round(count);
    machine.mend(count);
    const code = await codeOf(push());
    const cutAt = [...machine.messages];
    machine.mend();
    // Whether a visit's end is heard of makes no difference.
    if (code === "done") return cutAt;
    expect(code).toBe("connection_lost");
    await check(count);
  }
  throw new Error("It never came to its end.");
}

test("a push that is cut after any message leaves old or new, and the next one completes it", async () => {
  await put(here, { edited: "0", kept: "kept\n", "gone-0": "gone\n" });
  await push();
  const edit = async (count: number): Promise<void> => {
    await writeFile(path.join(here, "edited"), `now ${count}`);
    await rm(path.join(here, `gone-${count}`));
    await put(here, { [`gone-${count + 1}`]: "gone\n", [`new-${count}`]: "+xnew\n" });
  };
  const check = async (count: number): Promise<void> => {
    const mine = await read(here);
    const theirs = await read(there);
    expect(theirs["kept"]).toBe("kept\n");
    expect(["0", `now ${count - 1}`, `now ${count}`]).toContain(theirs["edited"]);
    expect(["gone\n", undefined]).toContain(theirs[`gone-${count}`]);
    await push();
    expect(await read(here)).toEqual(mine);
    expect(await read(there)).toEqual(mine);
  };
  const messages = await cutEverywhere(edit, check);
  for (const name of ["open", "look", "answer", "stage", "apply", "commit"])
    expect(messages).toContain(`${name}!`);
});

test("what somebody writes there after a cut is not overwritten by the push that completes it", async () => {
  await put(here, { file: "0" });
  await push();
  const edit = async (count: number): Promise<void> => put(here, { file: `mine ${count}` });
  const check = async (count: number): Promise<void> => {
    await put(there, { file: `theirs ${count}` });
    expect(await codeOf(push())).toBe("sync_conflict");
    expect(await read(there)).toEqual({ file: `theirs ${count}` });
    expect(await read(here)).toEqual({ file: `mine ${count}` });
    await pull(true);
  };
  const first = machine.messages.indexOf("apply");
  expect(await cutEverywhere(edit, check, first)).toContain("apply!");
});

test("a large file that is cut between its pieces is whole there or not there at all", async () => {
  const large = randomBytes(5_000_000);
  await writeFile(path.join(here, "large.bin"), large);
  machine.mend();
  for (let pieces = 0; pieces < 3; pieces += 1) {
    machine.mend();
    await codeOf(compareFar(machine.sides));
    machine.mend(machine.messages.indexOf("close") + 1 + 2 * pieces);
    expect(await codeOf(push())).toBe("connection_lost");
    expect(machine.messages.at(-1)).toBe("stage");
    expect(await read(there)).toEqual({});
  }
  machine.mend();
  await push();
  expect((await readFile(path.join(there, "large.bin"))).equals(large)).toBe(true);
});

test("conflicts from afar change neither side, whatever kinds meet, and are told with their paths", async () => {
  await put(here, { both: "0", removed: "0", run: "0", "turns/file": "0" });
  await push();
  await rm(path.join(here, "turns"), { recursive: true });
  await rm(path.join(there, "removed"));
  await rm(path.join(there, "run"));
  await put(here, {
    both: "mine",
    removed: "mine",
    run: "mine",
    turns: "a file now",
    fresh: "mine",
  });
  await put(there, { both: "+xtheirs", run: "+x0", "turns/file": "theirs", fresh: "theirs" });
  const before = [await read(here), await read(there)];
  const { conflicts } = await compareFar(machine.sides);
  for (const name of ["both", "fresh", "removed", "run", "turns/file"])
    expect(conflicts).toContain(name);
  expect(await codeOf(push())).toBe("sync_conflict");
  expect(await codeOf(pull())).toBe("sync_conflict");
  expect([await read(here), await read(there)]).toEqual(before);
});

const WORDS = {
  "bin/run": "+x#!/bin/sh\n",
  empty: "",
  "folder/": "",
  "deep/empty/folder/": "",
  link: "->deep",
  dangling: "->nowhere/yet",
  "naïve – 日本語 🌱.txt": "ünï\n",
  "cafe\u0301": "decomposed\n",
  café: "composed\n",
  " spaces \n and a line": "odd\n",
  "-rf": "odd\n",
};

test("all kinds of files come from afar as they are, odd names and what is empty among them", async () => {
  await put(there, WORDS);
  await pull();
  expect(await read(here)).toEqual(WORDS);
  expect(await compareFar(machine.sides)).toMatchObject(NOTHING);
});

test("a bit that makes executable goes alone, without the bytes, and so does a link that leads elsewhere", async () => {
  await put(here, WORDS);
  await push();
  expect(await read(there)).toEqual(WORDS);
  await Promise.all(["bin/run", "link"].map(async (name) => rm(path.join(here, name))));
  await put(here, { "bin/run": "#!/bin/sh\n", link: "->folder" });
  machine.mend();
  expect((await push()).changed).toEqual(["bin/run", "link"]);
  expect(machine.messages).not.toContain("stage");
  expect(await read(there)).toEqual({ ...WORDS, "bin/run": "#!/bin/sh\n", link: "->folder" });
});

test("3 MB that cannot be made smaller come from afar between small files", async () => {
  const large = randomBytes(3_000_000);
  await put(there, { "a.txt": "a\n", "z.txt": "z\n" });
  await writeFile(path.join(there, "large.bin"), large);
  await pull();
  expect((await readFile(path.join(here, "large.bin"))).equals(large)).toBe(true);
  expect(await readFile(path.join(here, "z.txt"), "utf8")).toBe("z\n");
});
