import fc from "fast-check";
import { expect, test } from "vitest";

import { CALLS } from "../../protocol/calls.ts";
import type { CallName } from "../../protocol/calls.ts";
import { messageSchema } from "../../protocol/messages.ts";
import { CREATED, ENVIRONMENT, VARIABLES } from "../fixtures/answers.ts";
import { parseMessage, parseOutput } from "./answers.ts";

const TREE = { app: "shop", environment: "agent", files: { kind: "kept", path: "/home/files" } };

/** Of each call that is checked by hand, what a server answers. */
const ANSWERS: readonly (readonly [name: CallName, answer: unknown])[] = [
  ["app.find", { app: "shop", environment: null }],
  ["app.list", [{ name: "shop", environments: ["agent"], createdAt: "2026-01-01" }]],
  ["environment.list", [ENVIRONMENT, { ...ENVIRONMENT, url: null, databaseUrl: null }]],
  ["environment.show", { ...ENVIRONMENT, problems: [{ code: "x", message: "y", remedy: "z" }] }],
  ["environment.create", CREATED],
  [
    "app.create",
    { ...CREATED, timings: { ...CREATED.timings, steps: [{ name: "x", beganMs: 1, ms: 2 }] } },
  ],
  ["environment.start", ENVIRONMENT],
  ["environment.stop", ENVIRONMENT],
  ["environment.delete", { app: "shop", name: "agent", folder: null }],
  ["environment.variables", { URL: "http://x", A: "b" }],
  ["files.push", { ...TREE, changed: ["a"], displaced: null }],
  ["files.pull", { ...TREE, changed: [], displaced: "/home/trash" }],
  [
    "files.status",
    {
      ...TREE,
      local: ["a"],
      remote: ["b", "c"],
      conflicts: [],
      absent: { local: ["b"], remote: [] },
      unread: ["d"],
    },
  ],
  ["variable.list", VARIABLES],
];

const MESSAGES: readonly unknown[] = [
  { result: [1] },
  { problem: { code: "x", message: "y", remedy: "z" } },
  { bug: "x" },
  { progress: { part: "files", state: "done", ms: 12, detail: "reflink" } },
  { progress: { part: "database", state: "started", ms: 0, detail: null } },
  { line: { time: "t", process: "web", stream: "stdout", text: "x" } },
];

test.each(ANSWERS)("%s is understood as it is answered", async (name, answer) => {
  expect(await parseOutput(name, answer)).toEqual(answer);
});

test.each(ANSWERS)(
  "%s is understood just where its schema understands it",
  async (name, answer) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.jsonValue(), async (seed, value) => {
        const changed = replacePart(answer, value, { left: seed % countParts(answer) });
        const isSound = CALLS[name].output.safeParse(changed).success;
        const parsed = parseOutput(name, changed).then(
          () => true,
          () => false,
        );
        expect(await parsed).toBe(isSound);
      }),
      { numRuns: 300 },
    );
  },
);

test("a message is understood just where its schema understands it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...MESSAGES), fc.nat(), fc.jsonValue(), async (...given) => {
      const [message, seed, value] = given;
      const changed = replacePart(message, value, { left: seed % countParts(message) });
      const parsed = parseMessage(JSON.stringify(changed)).then(
        () => true,
        () => false,
      );
      expect(await parsed).toBe(messageSchema.safeParse(changed).success);
    }),
    { numRuns: 300 },
  );
});

test("what lacks one of its fields is answered by nobody", async () => {
  for (const key of Object.keys(ENVIRONMENT)) {
    const rest = Object.fromEntries(Object.entries(ENVIRONMENT).filter(([name]) => name !== key));
    await expect(parseOutput("environment.show", rest)).rejects.toMatchObject({
      code: "answer_unreadable",
    });
  }
});

/** The whole, and each value inside. */
function countParts(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((sum: number, part) => sum + countParts(part), 1);
}

/** The same with one of its parts, counted from outside, another. */
function replacePart(value: unknown, by: unknown, place: { left: number }): unknown {
  if (place.left === 0) {
    place.left -= 1;
    return by;
  }
  place.left -= 1;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((part) => replacePart(part, by, place));
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, replacePart(part, by, place)]),
  );
}
