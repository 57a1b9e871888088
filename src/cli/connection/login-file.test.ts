import { chmod, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createFolder, removeFolder } from "../fixtures/context.ts";
import type { RemoteServer } from "../terminal/context.ts";
import { findLogin, loginFile, removeLogin, writeLogin } from "./login-file.ts";

const LOGIN: RemoteServer = {
  url: "https://ramet.test:7443",
  token: "ramet_secret_text",
  trust: { authority: "PEM", pinned: null },
};
const TEXT = JSON.stringify(LOGIN);

let folder: string;

beforeEach(async () => {
  folder = await createFolder();
});
afterEach(async () => removeFolder(folder));

async function put(text: string, mode = 0o600): Promise<void> {
  await writeFile(loginFile(folder), text);
  await chmod(loginFile(folder), mode);
}

async function find(): Promise<unknown> {
  return findLogin(folder).catch((error: unknown) => error);
}

test.each([0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666])(
  "a login of the mode %o is others' too, and is not used",
  async (mode) => {
    await put(TEXT, mode);
    const error = await find();
    expect(error).toMatchObject({ code: "login_exposed" });
    expect(JSON.stringify(error)).not.toContain("secret");
    await chmod(loginFile(folder), 0o600);
    expect(await find()).toEqual(LOGIN);
  },
);

test("a login that is cut off anywhere is none, and its token is not said", async () => {
  for (let length = 0; length < TEXT.length; length += 1) {
    await put(TEXT.slice(0, length));
    const error = await find();
    expect(error).toMatchObject({ code: "login_invalid" });
    expect(JSON.stringify(error)).not.toContain("secret");
  }
});

test("where a link leads is judged, not the link; what is not there is nowhere", async () => {
  const target = path.join(folder, "elsewhere.json");
  await symlink(target, loginFile(folder));
  expect(await find()).toBeUndefined();
  await writeFile(target, TEXT, { mode: 0o644 });
  expect(await find()).toMatchObject({ code: "login_exposed" });
  await chmod(target, 0o600);
  expect(await find()).toEqual(LOGIN);
});

test("who logs in puts the token in a file of its own, not where a link leads", async () => {
  const target = path.join(folder, "public.txt");
  await writeFile(target, "public\n", { mode: 0o644 });
  await symlink(target, loginFile(folder));
  await writeLogin(folder, LOGIN);
  expect(await readFile(target, "utf8")).toBe("public\n");
  expect(await find()).toEqual(LOGIN);
  await rm(loginFile(folder));
  await symlink(target, loginFile(folder));
  await removeLogin(folder);
  expect(await readFile(target, "utf8")).toBe("public\n");
  expect(await find()).toBeUndefined();
});

test("a link that leads to itself and a folder are no login, which is a problem and no bug", async () => {
  await symlink("login.json", loginFile(folder));
  expect(await find()).toMatchObject({ code: "login_invalid" });
  await removeLogin(folder);
  await mkdir(loginFile(folder), { mode: 0o700 });
  expect(await find()).toMatchObject({ code: "login_invalid" });
});
