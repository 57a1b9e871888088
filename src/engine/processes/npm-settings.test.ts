import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, test } from "vitest";

import { keepPlainSettings, readNpmSettings } from "./npm-settings.ts";

test("of a person's settings of npm those that say where packages come from are kept, and no secret", () => {
  const text = [
    "# mine",
    "registry = https://npm.example.com/",
    "@shop:registry=https://shop.example.com/npm/",
    "strict-ssl=false",
    "//npm.example.com/:_authToken=npm_secret",
    "//npm.example.com/:_password=c2VjcmV0",
    "_auth=c2VjcmV0",
    "email=ann@example.com",
    "cafile=/home/ann/ca.pem",
    "@other:registry=https://ann:secret@other.example.com/",
    "script-shell=/home/ann/evil.sh",
    "node-options=--require=/home/ann/evil.js",
    "[section]",
  ].join("\r\n");

  expect(keepPlainSettings(text)).toBe(
    "registry=https://npm.example.com/\n@shop:registry=https://shop.example.com/npm/\nstrict-ssl=false\n",
  );
});

test("they are read where npm reads them, and nobody needs to have any", async () => {
  const home = await mkdtemp(path.join(tmpdir(), "ramet-npm-"));
  try {
    expect(await readNpmSettings(home, {})).toBe("");
    await writeFile(path.join(home, ".npmrc"), "registry=https://a.example/\n");
    await writeFile(path.join(home, "other"), "registry=https://b.example/\n");
    expect(await readNpmSettings(home, {})).toBe("registry=https://a.example/\n");
    const elsewhere = { npm_config_userconfig: path.join(home, "other") };
    expect(await readNpmSettings(home, elsewhere)).toBe("registry=https://b.example/\n");
    expect(await readNpmSettings(home, { npm_config_userconfig: home })).toBe("");
  } finally {
    await rm(home, { recursive: true });
  }
});
