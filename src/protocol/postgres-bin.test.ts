import { expect, test } from "vitest";

import { findPostgresBin, POSTGRES_BIN } from "./postgres-bin.ts";

test.each([
  ["/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/15/bin"],
  ["pg/bin", "/home/ada/pg/bin"],
  ["../pg/bin/", "/home/pg/bin"],
  ["", undefined],
  [undefined, undefined],
])("the folder %j is %j, as whoever names it sees it", (named, folder) => {
  expect(findPostgresBin({ [POSTGRES_BIN]: named }, "/home/ada")).toBe(folder);
});
