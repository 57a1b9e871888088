import { expect, test } from "vitest";

import { explainDiskFull, saysDiskFull } from "./disk-full.ts";
import { Problem } from "./problem.ts";

test.each(["ENOSPC", "EDQUOT", "53100"])("%s is the problem that the disk is full", (code) => {
  const error = Object.assign(new Error("write"), { code });
  const explained = explainDiskFull(error, "/data/x");
  expect(explained).toBeInstanceOf(Problem);
  expect(explained).toMatchObject({
    code: "disk_full",
    message: expect.stringContaining("/data/x"),
  });
});

test.each([
  'could not extend file "base/5/1": No space left on device',
  "PostgreSQL did not start: FATAL: could not write lock file: No space left on device",
  "cp: error writing 'x': Disk quota exceeded",
])("%j says so, whoever prints it", (text) => {
  expect(saysDiskFull(text)).toBe(true);
  expect(explainDiskFull(new Error(text), "/data/x")).toMatchObject({ code: "disk_full" });
});

test("any other error stays what it is", () => {
  const error = Object.assign(new Error("write"), { code: "EACCES" });
  expect(explainDiskFull(error, "/data/x")).toBe(error);
  expect(explainDiskFull("text", "/data/x")).toBe("text");
});
