import { expect, test } from "vitest";

import { explainClosed } from "./closed-folder.ts";

test.each([
  ["EROFS", "Nothing can be written in /w: its disk is read-only."],
  ["EACCES", "Nothing can be written in /w: permission is denied."],
  ["EPERM", "Nothing can be written in /w: permission is denied."],
  ["ENOENT", "it failed"],
])("a folder in which writing ends with %s: %s", (code, message) => {
  const error = Object.assign(new Error("it failed"), { code });
  expect(explainClosed(error, "/w")).toMatchObject({ message });
});
