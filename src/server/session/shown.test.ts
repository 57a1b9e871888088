import { expect, test } from "vitest";

import type { Right } from "../../access/access.ts";
import { environmentSchema } from "../../protocol/schemas.ts";
import { OWNER } from "./caller.ts";
import type { TokenCaller } from "./caller.ts";
import { showTo } from "./shown.ts";

const SHOWN = environmentSchema.parse({
  id: "abcdefghijklmnop",
  app: "shop",
  name: "agent",
  state: "awake",
  parent: "development",
  url: "http://shop--agent.localhost:7420",
  domainUrl: "https://shop--agent.dev.example.com",
  databaseUrl: "postgres://abcdefghijklmnop:secret@127.0.0.1:7421/shop",
  fronts: [],
  files: { kind: "kept", path: "/kept" },
  processes: [],
  isolation: null,
  limits: null,
  problems: [],
  ownBytes: null,
  standbys: [],
  createdAt: "2026-01-01T00:00:00.000Z",
  usedAt: "2026-01-01T00:00:00.000Z",
  sleepsAt: null,
  replacedUntil: null,
});

function callerWith(right: Right): TokenCaller {
  const token = { id: "a", user: "anna", label: null, apps: null, right };
  const times = { createdAt: "2026-01-01T00:00:00.000Z", expiresAt: null };
  const over = new AbortController().signal;
  return { kind: "token", grant: { token: { ...token, ...times }, over }, address: null };
}

test("the owner sees an environment as it is on this machine", () => {
  expect(showTo({ caller: OWNER }, SHOWN)).toEqual(SHOWN);
});

test("from afar its URL is below the server's own domain, and none where there is no such domain", () => {
  const caller = callerWith("write");
  expect(showTo({ caller }, SHOWN).url).toBe("https://shop--agent.dev.example.com");
  expect(showTo({ caller }, { ...SHOWN, domainUrl: null }).url).toBeNull();
});

test.each(["write", "admin"] as const)("a database's password is for those who may %s", (right) => {
  expect(showTo({ caller: callerWith(right) }, SHOWN).databaseUrl).toBe(SHOWN.databaseUrl);
});

test("a database's password is not for those who may only read", () => {
  const shown = showTo({ caller: callerWith("read") }, SHOWN);
  expect(shown.databaseUrl).toBeNull();
  expect(JSON.stringify(shown)).not.toContain("secret");
});
