import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, test } from "vitest";

import { findInFiles, formsOf } from "./canaries.ts";

const SECRET = "sk_live-Canary/42+7";

test.each([
  ["as it is", SECRET],
  ["in base64", Buffer.from(SECRET).toString("base64")],
  ["in base64, behind one byte", Buffer.from(`x${SECRET}y`).toString("base64")],
  ["in base64, behind two", Buffer.from(`xy${SECRET}`).toString("base64")],
  ["in base64 for URLs", Buffer.from(`x${SECRET}yz`).toString("base64url")],
  ["in hexadecimal", Buffer.from(`..${SECRET}`).toString("hex")],
  ["in a URL", `https://x/?t=${encodeURIComponent(SECRET)}`],
  ["backwards", Array.from(`a${SECRET}`).toReversed().join("")],
])("a secret is found %s", async (_, text) => {
  const folder = await mkdtemp(path.join(tmpdir(), "ramet-canaries-"));
  try {
    await writeFile(path.join(folder, "log"), `before ${text} after`);
    await writeFile(path.join(folder, "other"), "nothing");
    expect(await findInFiles(folder, [SECRET], () => false)).toEqual([path.join(folder, "log")]);
    expect(await findInFiles(folder, [SECRET], (file) => file.endsWith("log"))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("its forms are long enough not to be met by chance", () => {
  expect(Math.min(...formsOf(SECRET).map((form) => form.length))).toBeGreaterThan(12);
});
