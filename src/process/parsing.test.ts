import { expect, test } from "vitest";

import { parseLsof, parseTcpTable } from "./listening.ts";
import { parseMarkedByPs } from "./marks.ts";
import { familyOf, parsePs, parseStat } from "./process-table.ts";

test("a process's name may hold whatever it likes", () => {
  expect(parseStat("42 (a) Z 1 (b) S 7 40 40 0")).toEqual({ pid: 42, parent: 7, group: 40 });
});

test("the dead and the vanished are no processes", () => {
  expect(parseStat("42 (node) Z 7 40 40 0")).toBeUndefined();
  expect(parseStat("")).toBeUndefined();
  expect(parsePs("  1 0 1 Ss\n 42 1 42 Z+\n\n")).toEqual([{ pid: 1, parent: 0, group: 1 }]);
});

test("a family includes grandchildren, whatever the order of the table", () => {
  const entries = [
    { pid: 30, parent: 20, group: 30 },
    { pid: 20, parent: 10, group: 20 },
    { pid: 10, parent: 1, group: 10 },
    { pid: 11, parent: 1, group: 10 },
    { pid: 99, parent: 1, group: 99 },
  ];
  expect(new Set(familyOf(10, entries))).toEqual(new Set([10, 11, 20, 30]));
});

test.each([
  ["0100007F:1F90", 8080],
  ["00000000:1F90", 8080],
  ["0200007F:0BB8", 3000],
  ["00000000000000000000000000000000:1F90", 8080],
  ["00000000000000000000000001000000:1F90", 8080],
  ["0000000000000000FFFF00000100007F:1F90", 8080],
])("%s is reached from loopback", (address, port) => {
  expect(parseTcpTable(tcpLine(address, "0A"))).toEqual([["777", port]]);
});

test("neither a connection nor a listener on a network's address counts", () => {
  expect(parseTcpTable(tcpLine("0100007F:1F90", "01"))).toEqual([]);
  expect(parseTcpTable(tcpLine("0A0200C0:1F90", "0A"))).toEqual([]);
  expect(parseTcpTable("  sl  local_address rem_address   st\n")).toEqual([]);
});

test("what lsof prints becomes ports", () => {
  const text =
    "p12\nf20\nn127.0.0.1:5173\nf21\nn*:3000\nf22\nn[::1]:8080\nf23\nn192.168.1.4:9000\n";
  expect(parseLsof(text)).toEqual([5173, 3000, 8080]);
});

test("what ps prints of an environment becomes a mark", () => {
  const text =
    "  12 node x.js HOME=/a M=h.id.runtime PATH=/bin\n 13 sh -c echo M= HOME=/\n 14 vi XM=no\n";
  expect(parseMarkedByPs(text, "M")).toEqual([
    { pid: 12, mark: "h.id.runtime" },
    { pid: 13, mark: "" },
  ]);
});

function tcpLine(local: string, state: string): string {
  return `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  0  0 777 1 0 100`;
}
