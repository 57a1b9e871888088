import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import type { AnsweringServer } from "../fixtures/call-server.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";

const TOKEN = {
  id: "3fa2b1c09d8e",
  user: "anna",
  label: "laptop",
  apps: ["shop", "blog"],
  right: "write",
  createdAt: "2026-01-01T00:00:00.000Z",
  expiresAt: "2026-04-01T00:00:00.000Z",
} as const;
const FOREVER = { ...TOKEN, id: "a00000000000", label: null, apps: null, expiresAt: null } as const;
const TEXT = "ramet_3fa2b1c09d8e_text-that-is-told-once";
const ENTRY = {
  time: "2026-01-01T00:00:00.000Z",
  user: "anna",
  token: TOKEN.id,
  address: "10.0.0.7",
  call: "variable.set",
  app: "shop",
  environment: "agent",
  subject: "STRIPE_KEY",
  outcome: "done",
} as const;

let world: World;
let server: AnsweringServer;

beforeAll(async () => {
  world = await createWorld();
});
beforeEach(async () => {
  server = await world.serve({
    "user.add": { name: "anna", isAdmin: false, createdAt: TOKEN.createdAt },
    "user.list": [
      { name: "anna", isAdmin: false, createdAt: TOKEN.createdAt },
      { name: "lead", isAdmin: true, createdAt: TOKEN.createdAt },
    ],
    "user.remove": { name: "anna", revoked: [TOKEN.id, FOREVER.id] },
    "token.create": { ...TOKEN, text: TEXT },
    "token.list": [TOKEN, FOREVER],
    "token.revoke": TOKEN,
    "access.whoami": { token: null, isAdmin: true, version: "0.1.0" },
    "access.audit": [
      {
        ...ENTRY,
        user: null,
        token: null,
        address: null,
        call: "user.add",
        app: null,
        environment: null,
        subject: "anna",
      },
      { ...ENTRY, outcome: "scope_too_small" },
      ENTRY,
    ],
  });
});
afterAll(async () => world.close());

function lastInput(): unknown {
  return server.calls.at(-1)?.input;
}

test("somebody is let in by name, as an administrator where that is said", async () => {
  expect((await world.ramet(["user", "add", "anna"])).out).toContain("anna is a user");
  expect(lastInput()).toEqual({ name: "anna", isAdmin: false });
  await world.ramet(["user", "add", "lead", "--admin"]);
  expect(lastInput()).toEqual({ name: "lead", isAdmin: true });
});

test("users are listed with what they are", async () => {
  const { out } = await world.ramet(["user", "list"]);
  expect(out).toMatch(/USER +ADMINISTRATOR +SINCE/);
  expect(out).toMatch(/anna +no +2026-01-01/);
  expect(out).toMatch(/lead +yes +2026-01-01/);
});

test("to remove somebody is asked first, and says how many tokens went with them", async () => {
  expect(await world.json(["user", "remove", "anna"])).toMatchObject({
    problem: { code: "confirmation_needed" },
  });
  expect(server.calls).toEqual([]);
  const { out } = await world.ramet(["user", "remove", "anna", "--force"]);
  expect(out).toContain("2 tokens are revoked");
});

test("a token is good for 90 days, all apps and writing, unless it is said otherwise", async () => {
  await world.ramet(["token", "create", "anna"]);
  expect(lastInput()).toEqual({ user: "anna", label: null, apps: null, right: "write", days: 90 });
  await world.ramet("token create anna --apps shop,blog --read --days 7 --label laptop".split(" "));
  expect(lastInput()).toEqual({
    user: "anna",
    label: "laptop",
    apps: ["shop", "blog"],
    right: "read",
    days: 7,
  });
  await world.ramet(["token", "create", "anna", "--admin", "--days", "never"]);
  expect(lastInput()).toMatchObject({ right: "admin", days: null });
});

test("a token's text stands alone in the first line, and what it is good for below", async () => {
  const { out } = await world.ramet(["token", "create", "anna"]);
  const [first, ...others] = out.trimEnd().split("\n");
  expect(first).toBe(TEXT);
  expect(others.join("\n")).toContain("anna may read and write shop, blog, until 2026-04-01");
  expect(others.join("\n")).toContain(`ramet token revoke ${TOKEN.id}`);
});

test.each([
  [["--days", "0"], "flag_invalid", "from 1 to 3650, or never"],
  [["--days", "3651"], "flag_invalid", "from 1 to 3650, or never"],
  [["--days", "soon"], "flag_invalid", "from 1 to 3650, or never"],
  [["--read", "--admin"], "flags_exclusive", ""],
])("token create %j is refused as %s, and nothing is asked", async (flags, code, words) => {
  expect(await world.json(["token", "create", "anna", ...flags])).toMatchObject({
    problem: { code, remedy: expect.stringContaining(words) },
  });
  expect(server.calls).toEqual([]);
});

test("tokens are listed without their text, with what ends them", async () => {
  const { out } = await world.ramet(["token", "list"]);
  expect(out).toMatch(/3fa2b1c09d8e +anna +laptop +shop, blog +write +2026-04-01/);
  expect(out).toMatch(/a00000000000 +anna +– +all +write +revoked/);
});

test("a token is revoked by its id", async () => {
  const { out } = await world.ramet(["token", "revoke", TOKEN.id]);
  expect(lastInput()).toEqual({ id: TOKEN.id });
  expect(out).toContain(`anna's token ${TOKEN.id} is revoked`);
});

test("on this machine one is the server's owner", async () => {
  expect((await world.ramet(["whoami"])).out).toContain("owner of this machine's own server");
  expect(await world.json(["whoami"])).toEqual({
    url: null,
    token: null,
    isAdmin: true,
    version: "0.1.0",
  });
});

test("who changed what is listed as it happened, and what was refused stands out", async () => {
  const { out } = await world.ramet(["audit", "--last", "3"]);
  expect(lastInput()).toEqual({ last: 3 });
  const [head, ...rows] = out.trimEnd().split("\n");
  expect(head).toMatch(/TIME +WHO +FROM +WHAT +ON +OUTCOME/);
  expect(rows[0]).toMatch(/the owner +– +user.add +anna +done/);
  expect(rows[1]).toMatch(/anna +10.0.0.7 +variable.set +shop\/agent STRIPE_KEY +scope_too_small/);
  expect(rows[2]).toMatch(/anna +10.0.0.7 +variable.set +shop\/agent STRIPE_KEY +done/);
});

test("where there is nothing yet, that is said", async () => {
  server = await world.serve({ "user.list": [], "token.list": [], "access.audit": [] });
  expect((await world.ramet(["user", "list"])).out).toContain("Nobody");
  expect((await world.ramet(["token", "list"])).out).toContain("no token");
  expect((await world.ramet(["audit"])).out).toContain("Nothing was written");
});
