import { appendFile, mkdtemp, readdir, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { untilAborted } from "../base/clock.ts";
import { Problem } from "../base/problem.ts";
import { removeInside } from "../base/remove-inside.ts";
import { allows, openAccess } from "./access.ts";
import type { Access, AuditEntry, NewToken } from "./access.ts";
import { isSameHash } from "./token-text.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const WRITE: NewToken = { user: "anna", label: null, apps: null, right: "write", lifeMs: DAY_MS };

let folder: string;
let now: number;
let access: Access;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-access-"));
  now = Date.parse("2027-01-01T00:00:00.000Z");
  access = await openAccess(folder, { now: () => now });
  await access.addUser("anna", false);
});
afterEach(async () => removeInside(path.dirname(folder), folder));

function codeOf(work: () => unknown): string {
  try {
    work();
    return "done";
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

async function rejectionOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

test("a token lets its user in, also after the server was started anew", async () => {
  const { text, token } = await access.createToken({ ...WRITE, apps: ["shop"], label: "laptop" });
  const later = await openAccess(folder, { now: () => now });
  expect(later.enter(text).token).toEqual(token);
  expect(token).toMatchObject({ user: "anna", apps: ["shop"], right: "write", label: "laptop" });
});

test("what is kept of a token lets nobody in, and only its owner may read even that", async () => {
  const { text, token } = await access.createToken(WRITE);
  await access.audit.note({
    time: "2027-01-01T00:00:00.000Z",
    user: "anna",
    token: token.id,
    address: null,
    call: "environment.create",
    app: "shop",
    environment: "x",
    subject: null,
    outcome: "done",
  });
  const names = await readdir(folder);
  expect(names.toSorted()).toEqual(["access.json", "audit.jsonl"]);
  for (const name of names) {
    const file = path.join(folder, name);
    const kept = await readFile(file, "utf8");
    expect((await stat(file)).mode & 0o077).toBe(0);
    const secret = text.slice(text.lastIndexOf("_", text.length - 43) + 1);
    for (const form of [text, secret, Buffer.from(text).toString("base64")])
      expect(kept).not.toContain(form);
    for (const word of kept.match(/[\w-]{12,}/g) ?? [])
      expect(codeOf(() => access.enter(word))).toBe("token_refused");
  }
});

test("nothing but the whole text of a good token lets anyone in, and all are told the same", async () => {
  const { text, token } = await access.createToken(WRITE);
  const [head, tail] = [text.slice(0, -1), text.slice(-1)];
  const other = await openAccess(folder, { now: () => now });
  await other.addUser("ben", false);
  const forged = [
    "",
    "ramet",
    token.id,
    head,
    `${text}x`,
    ` ${text}`,
    text.toUpperCase(),
    `${head}${tail === "A" ? "B" : "A"}`,
    text.replace(token.id, "0".repeat(12)),
    "__proto__",
    "x".repeat(100_000),
  ];
  expect(forged.map((one) => codeOf(() => access.enter(one)))).toEqual(
    forged.map(() => "token_refused"),
  );
  expect(codeOf(() => access.enter(text))).toBe("done");
});

test("a revoked token is good no more, and what goes on in its name ends", async () => {
  const { text, token } = await access.createToken(WRITE);
  const { over } = access.enter(text);
  const others = access.enter((await access.createToken(WRITE)).text);
  await access.revokeToken(token.id);
  await untilAborted(over);
  expect(others.over.aborted).toBe(false);
  expect(codeOf(() => access.enter(text))).toBe("token_refused");
  expect(await rejectionOf(access.revokeToken(token.id))).toBe("token_unknown");
});

test("who is removed is let in no more, with none of their tokens", async () => {
  const { text } = await access.createToken(WRITE);
  const { over } = access.enter(text);
  expect(await access.removeUser("anna")).toHaveLength(1);
  expect(over.aborted).toBe(true);
  expect(codeOf(() => access.enter(text))).toBe("token_refused");
  expect(await rejectionOf(access.createToken(WRITE))).toBe("user_unknown");
  expect(await rejectionOf(access.removeUser("anna"))).toBe("user_unknown");
  // Whoever bears the name next has nothing of theirs.
  await access.addUser("anna", true);
  expect(access.tokens()).toEqual([]);
});

test("a token expires, and is listed no more", async () => {
  const { text } = await access.createToken(WRITE);
  now += DAY_MS - 1;
  expect(codeOf(() => access.enter(text))).toBe("done");
  now += 1;
  expect(codeOf(() => access.enter(text))).toBe("token_refused");
  expect(access.tokens()).toEqual([]);
});

test("what goes on in the name of a token ends when it expires", async () => {
  const { text } = await access.createToken({ ...WRITE, lifeMs: 30 });
  const { over } = access.enter(text);
  await untilAborted(over);
  expect(over.aborted).toBe(true);
});

test("however many calls are made in the name of a token, one signal waits for its end, and so one timer", async () => {
  const { text } = await access.createToken(WRITE);
  const signals = Array.from({ length: 100 }, () => access.enter(text).over);
  expect(new Set(signals).size).toBe(1);
});

test("a token for ever is good for ever", async () => {
  const { text } = await access.createToken({ ...WRITE, lifeMs: null });
  now += 100 * 365 * DAY_MS;
  expect(codeOf(() => access.enter(text))).toBe("done");
});

test("an administrator's token is an administrator's alone", async () => {
  expect(await rejectionOf(access.createToken({ ...WRITE, right: "admin" }))).toBe(
    "user_not_admin",
  );
  await access.addUser("lead", true);
  expect(await rejectionOf(access.createToken({ ...WRITE, user: "lead", right: "admin" }))).toBe(
    "done",
  );
});

test.each(["", "A", "-x", "a b", "a/b", "a\nb", "x".repeat(65), "ä", "../x", "a\u0000"])(
  "nobody is called %j",
  async (name) => {
    expect(await rejectionOf(access.addUser(name, false))).toBe("user_name_invalid");
  },
);

test("two users of one name there are not, also when both come at once", async () => {
  const both = [access.addUser("ben", false), access.addUser("ben", true)];
  expect((await Promise.all(both.map(rejectionOf))).toSorted()).toEqual(["done", "user_exists"]);
});

test("changes that are made side by side are all kept", async () => {
  await Promise.all(Array.from({ length: 20 }, async () => access.createToken(WRITE)));
  expect((await openAccess(folder, { now: () => now })).tokens()).toHaveLength(20);
});

test.each([
  ["read", { right: "read", app: "shop" }, true],
  ["read", { right: "write", app: "shop" }, false],
  ["write", { right: "read", app: "shop" }, true],
  ["write", { right: "write", app: "shop" }, true],
  ["write", { right: "write", app: "blog" }, false],
  ["write", { right: "write", app: "shopping" }, false],
  ["write", { right: "write", app: null }, true],
  ["write", { right: "admin", app: null }, false],
  ["admin", { right: "admin", app: null }, true],
  ["admin", { right: "write", app: "blog" }, false],
] as const)("a token to %s shop, and the need to %j: %s", (right, need, isAllowed) => {
  expect(allows({ apps: ["shop"], right }, need)).toBe(isAllowed);
});

test("hashes are the same or not, whatever their length", () => {
  expect(isSameHash("aabb", "aabb")).toBe(true);
  for (const other of ["", "aa", "aabc", "aabbcc", "zz"])
    expect(isSameHash("aabb", other)).toBe(false);
});

function entryOf(index: number): AuditEntry {
  return {
    time: "2027-01-01T00:00:00.000Z",
    user: "anna",
    token: "a",
    address: "10.0.0.1",
    call: "variable.set",
    app: "shop",
    environment: String(index),
    subject: "STRIPE_KEY",
    outcome: "done",
  };
}

test("the log of writes gives its last lines, and skips what a crash cut short", async () => {
  for (let index = 0; index < 5; index += 1) await access.audit.note(entryOf(index));
  await appendFile(path.join(folder, "audit.jsonl"), '{"time":"2027');
  expect(await access.audit.read(2)).toEqual([entryOf(4)]);
  expect(await access.audit.read(100)).toHaveLength(5);
});
