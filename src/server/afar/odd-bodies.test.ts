import { connect } from "node:tls";

import { afterAll, beforeAll, expect, test } from "vitest";

import { exchange, headersOf, NAME, openAfarStage } from "../../../test/journeys/afar-stage.ts";
import type { AfarStage } from "../../../test/journeys/afar-stage.ts";

const VISIT = {
  app: "shop",
  environment: "kept",
  pair: "0123456789abcdef",
  visit: "c".repeat(16),
};
const MANY = 1_000_000;

let stage: AfarStage;

beforeAll(async () => {
  stage = await openAfarStage();
  const input = { app: "shop", name: "kept", from: ["development"], files: { kind: "kept" } };
  await send("environment.create", JSON.stringify({ ...input, searchPath: "" }));
  await send("tree.open", JSON.stringify(VISIT));
});
afterAll(async () => stage.close());

async function send(call: string, body: string): Promise<string> {
  const sent = { headers: headersOf(stage.token), body, call };
  return exchange(stage.port, stage.certificate, sent);
}

/** That it was told of one problem, in few words, and nothing else. */
function expectOneProblem(answer: string, code = "input_invalid"): void {
  expect(answer.match(/"(?:problem|bug|result)":/g)).toEqual(['"problem":']);
  expect(answer).toContain(`"code":"${code}"`);
  expect(answer.length).toBeLessThan(2_000);
}

/** What it has been asked before is known still, by the same process. */
async function expectGoingOn(): Promise<void> {
  expect(await send("tree.commit", JSON.stringify(VISIT))).toContain('{"result":{}}');
  expect(stage.calls.log).toEqual([]);
}

const TREE_CALLS = [
  "tree.open",
  "tree.look",
  "tree.answer",
  "tree.read",
  "tree.stage",
  "tree.apply",
  "tree.commit",
  "tree.wait",
  "tree.close",
];
const SHAPES = [
  "not JSON",
  "{",
  "null",
  "[]",
  "7",
  '"text"',
  "{}",
  "\u0000",
  JSON.stringify({ ...VISIT, visit: 7 }),
  JSON.stringify({ ...VISIT, visit: [VISIT.visit] }),
  JSON.stringify({ ...VISIT, pair: `${VISIT.pair}\n` }),
  JSON.stringify({ ...VISIT, pair: "0/../../../../x" }),
  JSON.stringify({ ...VISIT, app: { $ne: "" } }),
  `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
  `{"__proto__":${JSON.stringify(VISIT)}}`,
];

test.each(TREE_CALLS)(
  "%s is told one problem of a body that is no visit, and goes on",
  async (call) => {
    for (const body of SHAPES) expectOneProblem(await send(call, body));
    await expectGoingOn();
  },
);

// Each looked over by itself, and every reason written down, they kept the server from all others for seconds.
test.each([
  ["tree.answer", (many: readonly number[]) => ({ ignored: many })],
  ["tree.read", (many: readonly number[]) => ({ wants: many })],
  ["tree.stage", (many: readonly number[]) => ({ batch: { parts: many, packed: "" } })],
  ["tree.apply", (many: readonly number[]) => ({ plan: { removals: many, puts: [] } })],
  ["tree.apply", (many: readonly number[]) => ({ plan: { removals: [], puts: many } })],
])("%s is told that a list of a million is too long, and not of each in it", async (call, fill) => {
  const more = fill(Array.from({ length: MANY }, () => 7));
  const answer = await send(call, JSON.stringify({ ...VISIT, ...more }));
  expectOneProblem(answer);
  expect(answer).toContain("Too big");
  await expectGoingOn();
});

const PART = { path: "x", offset: 0, size: 0, isEnd: true };

test.each([
  ["tree.look", { scope: "everything" }],
  ["tree.answer", { ignored: "x" }],
  ["tree.read", { wants: [] }],
  ["tree.read", { wants: [{ path: "x", offset: -1 }] }],
  ["tree.read", { wants: [{ path: "x", offset: 0.5 }] }],
  ["tree.read", { wants: [{ path: "x".repeat(5_000), offset: 0 }] }],
  ["tree.stage", { batch: { parts: Array.from({ length: 10_001 }, () => PART), packed: "" } }],
  ["tree.stage", { batch: { parts: [{ ...PART, size: "0" }], packed: "" } }],
  ["tree.stage", { batch: { parts: [], packed: 7 } }],
  ["tree.apply", { plan: { removals: [{ path: "x" }], puts: [] } }],
  ["tree.apply", { plan: { removals: [], puts: [{ path: "x", entry: { kind: "socket" } }] } }],
])("%s is told one problem of what is none of its inputs (%#), and goes on", async (call, more) => {
  expectOneProblem(await send(call, JSON.stringify({ ...VISIT, ...more })));
  await expectGoingOn();
});

test.each([
  { parts: [{ ...PART, size: 1 }], packed: "no base64!" },
  { parts: [{ ...PART, size: 1 }], packed: "" },
  { parts: [{ ...PART, size: Number.MAX_SAFE_INTEGER }], packed: "AAAA" },
])("a batch that is not what it says (%#) is a broken wire", async (batch) => {
  expectOneProblem(await send("tree.stage", JSON.stringify({ ...VISIT, batch })), "wire_broken");
  await expectGoingOn();
});

test.each(["../x", "/etc/x", "a/../../x", ".git/config", ".ramet/x", "a//b", "", "a\u0000b"])(
  "nothing is applied or staged to %j",
  async (path) => {
    const entry = { kind: "folder" };
    const plan = { removals: [], puts: [{ path, entry }] };
    const answer = await send("tree.apply", JSON.stringify({ ...VISIT, plan }));
    expect(answer).not.toMatch(/"done":\[\[/);
    expect(answer).not.toContain('"bug"');
    const batch = { parts: [{ ...PART, path }], packed: "" };
    const staged = await send("tree.stage", JSON.stringify({ ...VISIT, batch }));
    expectOneProblem(staged, "sync_outside");
    await expectGoingOn();
  },
);

test("whoever sends a hundred megabytes hears that it is too much, and the server goes on", async () => {
  const body = JSON.stringify({ ...VISIT, batch: { parts: [], packed: "A".repeat(100_000_000) } });
  const answer = await send("tree.stage", body);
  expectOneProblem(answer);
  expect(answer).toContain("larger than 4000000 bytes");
  await expectGoingOn();
});

test("whoever leaves in the middle of a body leaves nothing behind that keeps others waiting", async () => {
  const socket = connect({
    host: "127.0.0.1",
    port: stage.port,
    ca: [stage.certificate],
    servername: NAME,
  });
  const lines = headersOf(stage.token).map(([name, text]) => `${name}: ${text}\r\n`);
  const head = `POST /calls/tree.apply HTTP/1.1\r\n${lines.join("")}content-length: 1000\r\n\r\n{"app":`;
  const { promise: heard, resolve: hear } = Promise.withResolvers<void>();
  // The head of the answer says that the call is being read.
  socket.once("data", () => hear());
  socket.write(head);
  await heard;
  socket.destroy();
  await expectGoingOn();
});
