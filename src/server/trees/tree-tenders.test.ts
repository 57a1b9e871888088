import { randomBytes } from "node:crypto";

import { afterEach, expect, test } from "vitest";

import { TOOLS } from "../../../test/programs/sandbox.ts";
import { openFolders, put } from "../../../test/sync/folders.ts";
import { systemClock } from "../../base/clock.ts";
import { TestEngine, until } from "../../engine/test-engine.ts";
import { signalProcess, startTalking } from "../../process/process.ts";
import { TENDER_PROGRAM } from "../../sync/sync.ts";
import { ServedTrees } from "./served-trees.ts";
import type { Visit } from "./served-trees.ts";
import { TreeTender } from "./tree-tender.ts";

const NO_STANDBYS = { most: 0, calmMs: 0, always: false };
const [TENDER = "", ...TENDER_ARGUMENTS] = TENDER_PROGRAM;
const WHERE = { tree: "/", home: "/", pair: "0123456789abcdef" };

let stage: TestEngine | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

/** A program in the tender's place. */
async function say(script: string): Promise<TreeTender> {
  const launch = { file: process.execPath, args: ["-e", script], folder: "/", environment: {} };
  return new TreeTender(await startTalking({ ...launch, user: null }));
}

test("one that does not start is told of, with what it printed", async () => {
  const tender = await say("console.error('no such module'); process.exit(1)");
  const begun = tender.begin("a", WHERE);
  await expect(begun).rejects.toMatchObject({ code: "files_untended" });
  await expect(begun).rejects.toThrow("no such module");
  await tender.close();
});

const ONCE = `process.stdin.once("data", () => {
  console.log(JSON.stringify({ id: 1, value: {} }));
  process.stdin.once("data", () => process.exit());
})`;

test("a visit that is under way when it dies is over, and whoever asks after that is told so", async () => {
  const tender = await say(ONCE);
  const tree = await tender.begin("a", WHERE);
  const [opened, later] = await Promise.allSettled([tree.open(), tender.ended]);
  expect(opened).toMatchObject({ reason: { code: "visit_unknown" } });
  expect(later.status).toBe("fulfilled");
  await expect(tree.commit()).rejects.toMatchObject({ code: "visit_unknown" });
  await tender.close();
});

test.each(["hello", "{}", '{"id":1,"problem":"x"}', "1".repeat(10)])(
  "one that says %j is listened to no longer",
  async (line) => {
    const tender = await say(`console.log(${JSON.stringify(line)}); process.stdin.resume()`);
    await expect(tender.begin("a", WHERE)).rejects.toMatchObject({ code: "files_untended" });
    await tender.close();
  },
);

test("an answer that is none of that question is refused, and what nobody asked is not heard", async () => {
  const answers = `process.stdin.on("data", (line) => {
    const { id, question } = JSON.parse(line);
    console.log(JSON.stringify({ id: id + 100, value: {} }));
    const value = question.call === "begin" ? {} : { identity: 7 };
    console.log(JSON.stringify({ id, value }));
  })`;
  const tender = await say(answers);
  const tree = await tender.begin("a", WHERE);
  await expect(tree.open()).rejects.toThrow("identity");
  await tender.close();
});

test("whatever a tree is asked, its tender answers as is understood; and what happens in it is heard of at once", async () => {
  const folders = await openFolders();
  const { remote: tree, home } = folders.sides;
  await put(tree, { "a.txt": "a", "large.bin": "x".repeat(5_000_000) });
  const launch = { file: TENDER, args: TENDER_ARGUMENTS, folder: "/", environment: {} };
  const tender = new TreeTender(await startTalking({ ...launch, user: null }));
  const wire = await tender.begin("a", { ...WHERE, tree, home });
  expect(await wire.open()).toMatchObject({ recovered: [] });
  expect(await wire.look("all")).toMatchObject({ kind: "ask", names: ["a.txt", "large.bin"] });
  expect(await wire.answer([])).toMatchObject({ kind: "look", isPartial: false });
  expect((await wire.read([{ path: "a.txt", offset: 0 }])).parts).toMatchObject([{ size: 1 }]);
  expect((await wire.pieces("large.bin"))?.length).toBeGreaterThan(0);
  await wire.stage({ parts: [{ path: "b.txt", offset: 0, size: 0, isEnd: true }], packed: "" });
  const step = {
    path: "link",
    entry: { kind: "link", target: "a.txt" },
    expected: undefined,
  } as const;
  expect(await wire.apply({ removals: [], puts: [step] })).toMatchObject({ left: [] });
  await wire.commit();
  const { signal } = new AbortController();
  const seen = await wire.wait(0, signal);
  const waiting = wire.wait(seen, signal);
  await put(tree, { "c.txt": "c" });
  expect(await waiting).toBeGreaterThan(seen);
  await tender.close();
  await folders.close();
});

function visitOf(environment: string): Visit {
  const visit = randomBytes(8).toString("hex");
  return { app: "shop", environment, pair: "0123456789abcdef", visit };
}

test.runIf(TOOLS.length > 0)(
  "all visits to an environment, which may sleep, have one program, which ends with the last and starts anew when it died",
  async () => {
    const [tool] = TOOLS;
    if (tool === undefined) throw new Error("There is one.");
    stage = await TestEngine.open(NO_STANDBYS, { isolation: async () => tool });
    const one = stage;
    const web = { command: "exec sleep 600", port: false };
    await one.createApp("shop", { processes: { web }, database: false });
    const live = await one.fork("shop", "kept");
    await live.sleep();
    const trees = new ServedTrees(one.engine, systemClock);
    const [first, second] = [visitOf("kept"), visitOf("kept")];
    await Promise.all([first, second].map(async (visit) => (await trees.open(visit)).open()));
    const find = async (): Promise<readonly number[]> =>
      (await one.marked(live.record.id)).map(({ pid }) => pid);
    const running = await find();
    expect(running.length).toBeGreaterThan(0);
    expect(await one.engine.leftovers()).toEqual([]);
    await trees.close(first);
    expect(await find()).toEqual(running);

    for (const pid of running) signalProcess(pid, "SIGKILL");
    await until(async () => isForgotten(trees, second));
    await (await trees.open(second)).open();
    expect((await find()).length).toBeGreaterThan(0);
    await trees.close(second);
    expect(await find()).toEqual([]);
  },
);

async function isForgotten(trees: ServedTrees, visit: Visit): Promise<true | undefined> {
  try {
    return await trees.ask(visit, async () => Promise.resolve(undefined));
  } catch {
    // It is known no more.
    return true;
  }
}
