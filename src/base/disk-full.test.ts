import { expect, test } from "vitest";

import { explainDiskFull } from "./disk-full.ts";
import { Problem } from "./problem.ts";

test.each(["ENOSPC", "EDQUOT"])("%s is the problem that the disk is full", (code) => {
  const error = Object.assign(new Error("write"), { code });
  const explained = explainDiskFull(error, "/data/x");
  expect(explained).toBeInstanceOf(Problem);
  expect(explained).toMatchObject({
    code: "disk_full",
    message: expect.stringContaining("/data/x"),
  });
});

test("any other error stays what it is", () => {
  const error = Object.assign(new Error("write"), { code: "EACCES" });
  expect(explainDiskFull(error, "/data/x")).toBe(error);
  expect(explainDiskFull("text", "/data/x")).toBe("text");
});
