import { chmod, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { Problem } from "../../base/problem.ts";
import { captureContext, createFolder, removeFolder } from "../fixtures/context.ts";
import { thrownBy } from "../fixtures/thrown.ts";
import type { RemoteServer } from "../terminal/context.ts";
import { loginFile, removeLogin, writeLogin } from "./login-file.ts";
import { findRemote, parseServerUrl } from "./remote-server.ts";
import { createHome } from "./server-process.ts";

const TRUST = { authority: "PEM", pinned: null };
const LOGIN: RemoteServer = { url: "https://ramet.test:7443", token: "ramet_a_b", trust: TRUST };

let folder: string;

beforeAll(async () => {
  folder = await createFolder();
  await createHome(captureContext(folder));
});
afterAll(async () => removeFolder(folder));

async function find(environment: Record<string, string>): Promise<unknown> {
  try {
    return await findRemote(captureContext(folder, { environment }));
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

test("a login is kept for its user alone, and its token goes nowhere else", async () => {
  const { home } = captureContext(folder);
  expect(await find({})).toBeUndefined();
  await writeLogin(home.folder, LOGIN);
  expect((await stat(loginFile(home.folder))).mode & 0o777).toBe(0o600);
  expect(await find({})).toEqual(LOGIN);
  expect(await find({ RAMET_SERVER: "local" })).toBeUndefined();
  expect(await find({ RAMET_SERVER: "https://ramet.test:7443/" })).toEqual(LOGIN);
  for (const other of [
    "https://ramet.test",
    "https://ramet.test:7444",
    "https://x.ramet.test:7443",
    "https://ramet.test.evil.example:7443",
  ])
    expect(await find({ RAMET_SERVER: other })).toBe("login_needed");
  await removeLogin(home.folder);
});

test("scripts say both, and a token without its server is sent nowhere", async () => {
  const url = "https://ramet.test";
  expect(await find({ RAMET_SERVER: url, RAMET_TOKEN: "t" })).toEqual({
    url,
    token: "t",
    trust: { authority: null, pinned: null },
  });
  expect(await find({ RAMET_TOKEN: "t" })).toBe("server_unnamed");
  expect(await find({ RAMET_SERVER: url })).toBe("login_needed");
  expect(await find({ RAMET_SERVER: url, RAMET_TOKEN: "t", RAMET_CA: "none.pem" })).toBe(
    "file_unreadable",
  );
  await writeFile(path.join(folder, "ca.pem"), "PEM");
  expect(await find({ RAMET_SERVER: url, RAMET_TOKEN: "t", RAMET_CA: "ca.pem" })).toMatchObject({
    trust: { authority: "PEM" },
  });
});

test("a login that others can read, or that says nothing, is not used", async () => {
  const { home } = captureContext(folder);
  await writeLogin(home.folder, LOGIN);
  await chmod(loginFile(home.folder), 0o640);
  expect(await find({})).toBe("login_exposed");
  for (const text of ["", "{", "[]", "{}", '{"url":"https://x","token":1,"trust":{}}']) {
    await writeFile(loginFile(home.folder), text);
    await chmod(loginFile(home.folder), 0o600);
    expect(await find({})).toBe("login_invalid");
  }
  await removeLogin(home.folder);
});

test.each([
  ["https://ramet.test", "https://ramet.test"],
  ["HTTPS://Ramet.Test:443/", "https://ramet.test"],
  ["https://[::1]:7443", "https://[::1]:7443"],
  ["http://127.0.0.1:7443", "http://127.0.0.1:7443"],
  ["http://localhost:7443", "http://localhost:7443"],
])("%s is the server %s", (text, url) => {
  expect(parseServerUrl(text)).toBe(url);
});

test.each([
  "ramet.test",
  "http://ramet.test",
  "http://127.0.0.1.evil.example",
  "http://localhost.evil.example",
  "ftp://ramet.test",
  "https://ramet.test/path",
  "https://ramet.test/?token=x",
  "https://ramet.test/#x",
  "https://user@ramet.test",
  "https://ramet_secret:x@ramet.test",
  "https://",
  "",
])("%s is no server's URL, and what it holds is not said again", (text) => {
  const error = thrownBy(() => parseServerUrl(text));
  expect(error).toMatchObject({ code: "server_url_invalid" });
  expect(String(error)).not.toContain("ramet_secret");
});
