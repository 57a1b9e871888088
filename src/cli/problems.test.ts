import { expect, test } from "vitest";

import { Problem } from "../base/problem.ts";
import * as ofProtocol from "../protocol/problems.ts";
import * as ofConnections from "./connection/problems.ts";
import * as ofServersElsewhere from "./connection/remote-problems.ts";
import * as ofGrammar from "./grammar/problems.ts";
import * as ofSessions from "./session/problems.ts";
import * as ofTerminals from "./terminal/problems.ts";

const problems = {
  ...ofConnections,
  ...ofServersElsewhere,
  ...ofGrammar,
  ...ofProtocol,
  ...ofSessions,
  ...ofTerminals,
};

const HOSTILE = "\u001b[2J\u0007x".padEnd(500, "y");

const FAR = "https://ramet.shop.test:7443";

/** Each problem of the room, of what a person or another program wrote as badly as can be. */
const MADE: readonly Problem[] = [
  problems.commandUnknown(HOSTILE, undefined),
  problems.commandUnknown("x", "env list"),
  problems.flagUnknown(HOSTILE, "env list", undefined),
  problems.flagUnknown("--jsn", "env list", "--json"),
  problems.flagValueMissing("--env", "ENV"),
  problems.flagValueUnexpected("--json"),
  problems.flagRepeated("--env"),
  problems.flagInvalid("--last", HOSTILE, "a number"),
  problems.argumentInvalid("The shell", HOSTILE, "bash"),
  problems.flagsExclusive("--all", "names"),
  problems.trustNowhere([{ store: "chromium", why: null }]),
  problems.argumentMissing("NAME", "env show", "ramet env show NAME"),
  problems.argumentUnexpected(HOSTILE, "env show", "ramet env show NAME"),
  problems.appUnclear([]),
  problems.appUnclear(["a", "b"]),
  problems.environmentUnbound(),
  problems.bindingStale("shop/agent"),
  problems.bindingElsewhere("shop/agent", "/h"),
  problems.environmentOfOtherFolder("shop/agent", "/w"),
  problems.appFolderMissing("shop", "apps/web", "/w"),
  problems.workspaceBound("shop/agent", "/w"),
  problems.confirmationNeeded("All is lost."),
  problems.declined(),
  problems.serverAbsent(),
  problems.serverFailed("it ended", ["a", "b"]),
  problems.serverStuck(null),
  problems.serverStuck(17),
  problems.serverSilent(3),
  problems.serverForbidden("/s"),
  problems.homeUnusable("/h", "ENOTDIR: not a directory"),
  problems.connectionLost(),
  problems.answerUnreadable("it is no JSON"),
  problems.protocolMismatch(1, 2),
  problems.protocolMismatch(3, 2),
  problems.variableSecret("KEY"),
  problems.variableValueMissing(HOSTILE),
  problems.inputTooLong(3),
  problems.fileUnreadable(HOSTILE, "it is not there"),
  problems.fileUnwritable("/app/ramet.json"),
  problems.answerUnknown(["yarn", "npm"]),
  problems.choiceMissing("Nothing was named.", "Name it."),
  problems.addressMissing("shop/agent", "URL"),
  problems.databaseHidden("shop/agent"),
  problems.urlNowhere("shop/agent"),
  problems.psqlMissing(),
  problems.namesRepeated("agent"),
  problems.ownerNeeded("/h"),
  problems.serverUrlInvalid(HOSTILE, "it is none"),
  problems.serverUrlInvalid("https://token@shop.test", "it holds a token"),
  problems.loginNeeded(FAR),
  problems.tokenWithoutServer(),
  problems.loginInvalid("/h/login.json"),
  problems.loginExposed("/h/login.json"),
  problems.serverUnreachable(FAR, "nothing listens there"),
  problems.serverUntrusted(FAR, "its certificate has expired"),
  problems.serverListens(7, ["--listen", "0.0.0.0"]),
  problems.serverNotPlain("http://127.0.0.1:7443"),
  problems.serverElsewhere(FAR, 302),
  problems.serverOther(FAR, 404),
  problems.fingerprintOther(FAR, "3F:A0"),
  problems.fingerprintUnconfirmed(FAR, "3F:A0"),
  problems.protocolAfar(FAR, { server: 1, ours: 2 }),
  problems.protocolAfar(FAR, { server: 3, ours: 2 }),
  problems.appMadeElsewhere(FAR),
  problems.tokenMissing(),
  problems.portTaken(5432),
  problems.tunnelNeedless(),
  problems.tunnelNeeded("shop/agent"),
];

test.each(MADE.map((problem) => [problem.code, problem] as const))(
  "%s says what is wrong and what to do, in sentences, and lets nothing through to the terminal",
  (code, { message, remedy }) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(message.split("\n")[0]).toMatch(/^\S.*[.:]$/);
    expect(remedy).toMatch(/^[A-Z].*[.?]$/);
    // A line break stands before a program's own last lines alone.
    expect(`${message}${remedy}`).not.toMatch(/[^\P{Cc}\n]/u);
    expect(message.length).toBeLessThan(300);
  },
);

test("no two problems of different sense share a code", () => {
  const factories = Object.keys(problems).filter((name) => name !== "describeBug");
  const codes = new Set(MADE.map(({ code }) => code));
  expect(codes.size).toBe(factories.length);
});

test("a mismatch says which side is to be upgraded", () => {
  expect(problems.protocolMismatch(1, 2).remedy).toContain("Upgrade the server");
  expect(problems.protocolMismatch(3, 2).remedy).toContain("Upgrade this command");
});

test("a mistake of ours is no problem of the person's, and says where to look", () => {
  const bug = problems.describeBug("x is undefined");
  expect(bug).toMatchObject({ code: "bug", message: expect.stringContaining("x is undefined") });
  expect(bug.remedy).toContain("ramet server logs");
  expect(MADE.every((problem) => problem instanceof Problem)).toBe(true);
});
