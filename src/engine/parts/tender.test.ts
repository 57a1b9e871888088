import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chown, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { TOOLS } from "../../../test/programs/sandbox.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import { parseAppName, parseEnvironmentName } from "../../environment/name.ts";
import { TreeTender } from "../../server/trees/tree-tender.ts";
import type { Entry } from "../../sync/core/tree.ts";
import { packBatch } from "../../sync/far/batch.ts";
import { createEnvironmentId, makeEnvironmentFolders, makeHome } from "../home/layout.ts";
import type { Layout } from "../home/layout.ts";
import { isRoot } from "../home/users.ts";
import { Admission } from "../machine/admission.ts";
import type { EngineContext } from "../machine/context.ts";
import { contextOf, createFolder, layoutIn, removeFolder } from "../test-engine.ts";
import { Tenders } from "./tender.ts";

const UID = 700_123;
const PROBE = path.join(import.meta.dirname, "../../../test/programs/looks-around.mjs");

let folder: string;
let layout: Layout;
let record: EnvironmentRecord;
/** Of the machine, of its neighbours and its own, which is no part of its files. */
let others: readonly string[];
let own: readonly string[];

beforeEach(async () => {
  folder = await createFolder();
  layout = layoutIn(folder);
  await makeHome(layout);
  const id = createEnvironmentId();
  const uid = isRoot() ? UID : null;
  await makeEnvironmentFolders(layout, { id, uid, user: null, keepsFiles: true });
  const files = { kind: "kept", path: layout.files(id) } as const;
  await mkdir(files.path);
  record = recordOf({ id, uid, files });
  own = [path.join(files.path, "own.txt")];
  const beside = path.join(layout.folder(id), "beside.txt");
  const secret = path.join(folder, "secret.txt");
  others = [beside, secret, path.join(files.path, "link/secret.txt")];
  for (const file of [...own, beside, secret]) await writeFile(file, "", { mode: 0o666 });
  await symlink(folder, path.join(files.path, "link"));
  if (uid === null) return;
  for (const file of [files.path, ...own, beside]) await chown(file, UID, UID);
});
afterEach(async () => removeFolder(folder));

function recordOf(given: Pick<EnvironmentRecord, "id" | "uid" | "files">): EnvironmentRecord {
  return {
    ...given,
    app: parseAppName("shop"),
    name: parseEnvironmentName("kept"),
    parent: null,
    createdAt: "2026-01-01T00:00:00.000Z",
    state: { kind: "asleep" },
    database: null,
    ports: {},
    searchPath: "",
    setupStamp: null,
    data: "none",
    missingMigrations: [],
    generation: 1,
    replaced: null,
    remaining: [],
  };
}

type Told = {
  readonly could: readonly string[];
  readonly networks: readonly string[];
  readonly uid: number;
};

async function probe(changes: Partial<EngineContext>): Promise<Told | null> {
  const tenderProgram = [process.execPath, PROBE, JSON.stringify([...own, ...others])];
  const tenders = new Tenders({ ...contextOf(layout), tenderProgram, ...changes });
  const program = await tenders.start(record);
  if (program === null) return null;
  expect([...tenders.ids()]).toEqual([record.id]);
  program.stdin.end();
  const told: Told = JSON.parse(await text(program.stdout));
  await program.exited;
  expect([...tenders.ids()]).toEqual([]);
  return told;
}

describe.each(TOOLS)("sealed off by $tool", (tool) => {
  test("whoever tends an environment's files can get at those alone, and has no network", async () => {
    const told = await probe({ isolation: async () => tool });
    expect(told?.could).toEqual(own.flatMap((file) => [`read ${file}`, `write ${file}`]));
    expect(told?.networks.filter((name) => name !== "lo")).toEqual([]);
    expect(told?.uid).toBe(isRoot() ? UID : process.getuid?.());
    // Anywhere else it could get at all of it.
    const files = JSON.stringify([...own, ...others]);
    const { stdout } = await promisify(execFile)(process.execPath, [PROBE, files]);
    for (const file of others) expect(stdout).toContain(`write ${file}`);
  });
});

/** Large enough to be told of in pieces, in two batches. */
const HALF = "new\n".repeat(2 ** 19);
const LARGE = HALF + HALF;

test.each(TOOLS)(
  "sealed off by $tool it puts files there, takes over what is there already, and keeps what stood there",
  async (tool) => {
    const tenders = new Tenders({ ...contextOf(layout), isolation: async () => tool });
    const program = await tenders.start(record);
    if (program === null) throw new Error("There is a sandbox.");
    const tender = new TreeTender(program);
    const home = layout.sync(record.files);
    const where = { tree: record.files.path, home, pair: "0123456789abcdef" };
    const tree = await tender.begin("a visit", where);
    await tree.open();
    const [file = ""] = own;
    const put = async (bytes: string, expected: string): Promise<string> => {
      const step = { path: "own.txt", entry: fileOf(bytes), expected: fileOf(expected) };
      const { left, displaced } = await tree.apply({ removals: [], puts: [step] });
      expect(left).toEqual([]);
      expect(await readFile(file, "utf8")).toBe(bytes);
      return readFile(path.join(displaced ?? "", "own.txt"), "utf8");
    };
    const part = { path: "own.txt", offset: 0, bytes: Buffer.from(HALF), isEnd: false };
    for (const offset of [0, HALF.length])
      await tree.stage(await packBatch([{ ...part, offset, isEnd: offset > 0 }]));
    expect(await put(LARGE, "")).toBe("");
    expect((await tree.pieces("own.txt"))?.length).toBeGreaterThan(10);
    const taken = { path: "own.txt", offset: 4, from: 0, size: LARGE.length, isEnd: true };
    await tree.stage(await packBatch([{ ...part, bytes: Buffer.from("old\n") }, taken]));
    expect(await put(`old\n${LARGE}`, LARGE)).toBe(LARGE);
    const some = await tree.read([{ path: "own.txt", offset: 2, size: 4 }]);
    expect(some.parts).toEqual([{ path: "own.txt", offset: 2, size: 4, isEnd: false }]);
    expect((await stat(file)).uid).toBe((await stat(record.files.path)).uid);
    await tender.close();
    expect([...tenders.ids()]).toEqual([]);
    // What was compiled is there for the next.
    expect(await readdir(path.join(home, "compiled"))).not.toEqual([]);
  },
);

function fileOf(bytes: string): Entry {
  const hash = createHash("sha256").update(bytes).digest("hex");
  return { kind: "file", hash, executable: false };
}

test.runIf(TOOLS.length > 0)("it waits for memory as whatever wakes does", async () => {
  const short = { totalBytes: 1e10, availableBytes: 1e6, stalled: 0 };
  const admission = new Admission(async () => short, 0);
  const [tool] = TOOLS;
  const tenders = new Tenders({
    ...contextOf(layout),
    admission,
    ...(tool === undefined ? {} : { isolation: async () => tool }),
  });
  await expect(tenders.start(record)).rejects.toMatchObject({ code: "memory_short" });
});

test.runIf(isRoot())(
  "as root it runs as the environment's user where nothing is sealed off",
  async () => {
    expect((await probe({}))?.uid).toBe(UID);
  },
);

test.runIf(!isRoot())(
  "where there is neither a sandbox nor another user there is none",
  async () => {
    expect(await probe({})).toBeNull();
  },
);
