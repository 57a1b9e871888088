import { expect, test } from "vitest";

import type { Right } from "../../access/access.ts";
import { Problem } from "../../base/problem.ts";
import { CALLS } from "../../protocol/calls.ts";
import { OWNER } from "../session/caller.ts";
import type { TokenCaller } from "../session/caller.ts";
import { describeWrite } from "./audit.ts";
import { assertAllowed, isWrite } from "./call-rights.ts";
import { isCallName } from "./call-table.ts";

const NAMES = Object.keys(CALLS).filter(isCallName);
const SHOP = { app: "shop", environment: "development" };

function callerWith(right: Right, apps: readonly string[] | null = ["shop"]): TokenCaller {
  const token = { id: "a1", user: "anna", label: null, apps: apps === null ? null : [...apps] };
  const times = { createdAt: "2027-01-01T00:00:00.000Z", expiresAt: null };
  const over = new AbortController().signal;
  return { kind: "token", grant: { token: { ...token, right, ...times }, over }, address: "::1" };
}

function listRefused(right: Right, input: unknown): readonly string[] {
  return NAMES.filter((name) => {
    try {
      assertAllowed(callerWith(right), name, input);
      return false;
    } catch (error) {
      if (error instanceof Problem) return true;
      throw error;
    }
  });
}

const OWNERS = [
  "server.stop",
  "server.leave",
  "server.domain",
  "app.create",
  "app.find",
  "environment.front",
  "files.status",
  "files.push",
  "files.pull",
];
const ADMINS = [
  "app.delete",
  "access.audit",
  "user.add",
  "user.list",
  "user.remove",
  "token.create",
  "token.list",
  "token.revoke",
  "doctor",
];
const ANYONES = ["server.status", "server.authority", "app.list", "access.whoami"];

test("a token to read changes nothing, opens no secret, and runs no SQL", () => {
  const allowed = NAMES.filter((name) => !listRefused("read", SHOP).includes(name));
  expect(allowed.filter(isWrite)).toEqual([]);
  for (const name of ["environment.variables", "database.query", "environment.attend"])
    expect(allowed).not.toContain(name);
});

test("a token to write may all but administer, and touch the machine itself", () => {
  expect(listRefused("write", SHOP).toSorted()).toEqual([...OWNERS, ...ADMINS].toSorted());
});

test("an administrator's token may all but touch the machine itself", () => {
  expect(listRefused("admin", SHOP).toSorted()).toEqual(OWNERS.toSorted());
});

test("whatever it may, it may on its own apps alone", () => {
  const refused = listRefused("admin", { app: "blog", environment: "development" });
  expect(NAMES.filter((name) => !refused.includes(name)).toSorted()).toEqual(ANYONES.toSorted());
});

test.each([{ app: 7 }, { app: ["shop"] }, { app: { $ne: "" } }, "shop", 7])(
  "an app that is no name (%j) lets nobody do what takes another right",
  (input) => {
    expect(listRefused("read", input)).toEqual(
      expect.arrayContaining(["variable.set", "user.add", "server.stop"]),
    );
  },
);

test("the owner may everything", () => {
  for (const name of NAMES) expect(() => assertAllowed(OWNER, name, SHOP)).not.toThrow();
});

test("of what was written names are written down, and nothing else that a call holds", () => {
  const secret = "canary-4242";
  const clock = { now: () => Date.parse("2027-01-01T00:00:00.000Z") };
  const input = {
    ...SHOP,
    variables: [
      { name: "STRIPE_KEY", value: secret },
      { name: "OTHER", value: secret },
    ],
    sql: `select '${secret}'`,
    text: secret,
    token: secret,
    source: { kind: "file", variables: { A: secret } },
    workspace: `/home/${secret}`,
    searchPath: secret,
  };
  const call = { name: "variable.set", input, outcome: "done" } as const;
  const entry = describeWrite(call, { caller: callerWith("write"), clock });
  expect(entry).toEqual({
    time: "2027-01-01T00:00:00.000Z",
    user: "anna",
    token: "a1",
    address: "::1",
    call: "variable.set",
    app: "shop",
    environment: "development",
    subject: "STRIPE_KEY OTHER",
    outcome: "done",
  });
  expect(JSON.stringify(entry)).not.toContain(secret);
});

test("a fork is written down by the name that it got, and who it was made by is the owner or a user", () => {
  const clock = { now: () => 0 };
  const input = { app: "shop", name: "agent", from: ["development"] };
  const call = { name: "environment.create", input, outcome: "environment_exists" } as const;
  expect(describeWrite(call, { caller: OWNER, clock })).toMatchObject({
    user: null,
    environment: "agent",
    subject: null,
    outcome: "environment_exists",
  });
});

test.each([null, 7, "text", [], { app: 7 }, { app: "x".repeat(10_000) }])(
  "an input that makes no sense (%#) is written down in short",
  (input) => {
    const call = { name: "app.delete", input, outcome: "input_invalid" } as const;
    const entry = describeWrite(call, { caller: OWNER, clock: { now: () => 0 } });
    expect(JSON.stringify(entry).length).toBeLessThan(1_000);
  },
);
