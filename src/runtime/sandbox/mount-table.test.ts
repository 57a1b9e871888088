import { expect, test } from "vitest";

import { findLasting, formatMountLine, listBelow, parseMountTable } from "./mount-table.ts";

const TABLE = parseMountTable(
  [
    "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw",
    "30 22 0:5 / /media/my\\040disk ro,nosuid,noexec - ext4 /dev/vdb ro",
    "31 22 0:6 / /home rw,nosuid - ext4 /dev/vdc rw",
    "32 31 0:7 / /home/ann/cache rw,noexec - tmpfs none rw",
    "33 31 0:8 / /home/ann/cache rw - tmpfs none rw",
    "",
  ].join("\n"),
);

test.each([
  ["/", []],
  ["/usr/bin", []],
  ["/media/my disk/photos", ["ro", "noexec"]],
  ["/media/my disk2", []],
  ["/home/ann", []],
  // Mounted over.
  ["/home/ann/cache/x", []],
])("what is seen of %s keeps %j", (path, options) => {
  expect(findLasting(TABLE, path)).toEqual(options);
});

test("what is mounted below a folder is told once, and no folder of a longer name", () => {
  expect(listBelow(TABLE, "/home/ann")).toEqual(["/home/ann/cache"]);
  expect(listBelow(TABLE, "/home/ann/cache")).toEqual([]);
  expect(listBelow(TABLE, "/hom")).toEqual([]);
  expect(listBelow(TABLE, "/")).toEqual(["/home", "/home/ann/cache", "/media/my disk"]);
});

test("a path with what separates fields is one field of its line", () => {
  expect(formatMountLine("/a b\t#c", "/x\\y", { options: ["rbind", "ro"] })).toBe(
    "/a\\040b\\011\\043c /x\\134y none rbind,ro 0 0",
  );
});
