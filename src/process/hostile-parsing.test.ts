import fc from "fast-check";
import { expect, test } from "vitest";

import { parseLsof, parseTcpTable } from "./listening.ts";
import { parseMarkedByPs } from "./marks.ts";
import { eachOf, familyOf, isGone, parsePs, parseStat } from "./process-table.ts";

const pid = fc.integer({ min: 2, max: 4_000_000 });
/** As a program may call itself: with `prctl`, or by its file's name. */
const hostileName = fc.string({ unit: fc.constantFrom("(", ")", " ", "Z", "S", "1", "\n", "ä") });

test("no name that a program gives itself changes what its line in /proc says", () => {
  fc.assert(
    fc.property(fc.record({ pid, parent: pid, group: pid }), hostileName, (entry, name) => {
      const stat = `${entry.pid} (${name}) S ${entry.parent} ${entry.group} 1 0 -1 4194304`;
      expect(parseStat(stat)).toEqual(entry);
    }),
  );
});

test.each(["Z", "X", "Zs", "Xs"])("a process in state %s has ended, whatever its name", (state) => {
  fc.assert(
    fc.property(hostileName, (name) => {
      expect(parseStat(`9 (${name}) ${state} 7 9 9 0`)).toBeUndefined();
    }),
  );
});

test.each(["R", "S", "D", "T", "t", "I"])("a process in state %s lives", (state) => {
  expect(parseStat(`9 (x) ${state} 7 9 9 0`)).toEqual({ pid: 9, parent: 7, group: 9 });
  expect(parsePs(`9 7 9 ${state}+\n`)).toEqual([{ pid: 9, parent: 7, group: 9 }]);
});

test("no text makes a parser of the system's answers throw", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.array(hostileName).map((lines) => lines.join("\n")),
  );
  fc.assert(
    fc.property(text, fc.constantFrom("M", "RAMET_MARK"), (answer, variable) => {
      expect(parseStat(answer)?.pid).not.toBeNaN();
      expect(Array.isArray(parsePs(answer))).toBe(true);
      for (const [, port] of parseTcpTable(answer)) expect(port).toBeTypeOf("number");
      for (const port of parseLsof(answer)) expect(port).toBeGreaterThanOrEqual(0);
      for (const { mark } of parseMarkedByPs(answer, variable)) expect(mark).not.toContain(" ");
    }),
  );
});

const table = fc.array(
  fc.record({
    pid: fc.integer({ min: 2, max: 40 }),
    parent: fc.integer({ min: 1, max: 40 }),
    group: fc.integer({ min: 2, max: 40 }),
  }),
  { maxLength: 40 },
);

test("a family is closed: whoever has its parent in it is in it, circles too", () => {
  fc.assert(
    fc.property(table, fc.integer({ min: 2, max: 40 }), (entries, group) => {
      const family = new Set(familyOf(group, entries));
      const belong = entries.filter(
        (entry) => entry.group === group || entry.pid === group || family.has(entry.parent),
      );
      expect(belong.filter((entry) => !family.has(entry.pid))).toEqual([]);
    }),
  );
});

test("a family has nobody who does not descend from its group", () => {
  fc.assert(
    fc.property(table, fc.integer({ min: 2, max: 40 }), (entries, group) => {
      const family = familyOf(group, entries);
      for (const member of family) {
        const own = entries.filter((entry) => entry.pid === member);
        const isOf = own.some(
          (entry) => entry.group === group || entry.pid === group || family.includes(entry.parent),
        );
        expect(isOf).toBe(true);
      }
      expect(new Set(family).size).toBe(family.length);
    }),
  );
});

test("the group of nobody has no family", () => {
  expect(familyOf(77, [{ pid: 5, parent: 1, group: 5 }])).toEqual([]);
  expect(familyOf(77, [])).toEqual([]);
});

test.each([
  ["100.127.0.10 in another order", "0A7F0064:1F90"],
  ["a network's address in IPv6", "0000000000000120B80D012001000000:1F90"],
  ["a network's address mapped into IPv6", "0000000000000000FFFF00000A0200C0:1F90"],
  ["nothing", ""],
  ["no port", "0100007F"],
])("%s is not reached from loopback", (_what, address) => {
  expect(parseTcpTable(line(address)).filter(([, port]) => Number.isInteger(port))).toEqual([]);
});

test("a table of many listeners gives each its inode", () => {
  const addresses = ["0100007F:0050", "00000000:FFFF", "0100007F:0001"];
  const text = addresses.map((address, at) => line(address, String(1_000 + at))).join("\n");
  expect(parseTcpTable(text)).toEqual([
    ["1000", 80],
    ["1001", 65_535],
    ["1002", 1],
  ]);
});

test.each([
  ["nlocalhost:80", []],
  ["n*:*", []],
  ["n127.0.0.1:80->127.0.0.1:90", []],
  ["n[::ffff:127.0.0.1]:81", [81]],
  ["n[::]:82", [82]],
  ["n127.1.2.3:83", [83]],
  ["n[fe80::1]:84", []],
  ["p80\nf3", []],
])("lsof's %j means the ports %j", (text, ports) => {
  expect(parseLsof(text)).toEqual(ports);
});

test("the environment behind a command counts, not a word of the command that looks like it", () => {
  const real = "12 sh -c echo M=forged HOME=/ M=h.real PATH=/bin";
  expect(parseMarkedByPs(real, "M")).toEqual([{ pid: 12, mark: "h.real" }]);
  expect(parseMarkedByPs("12 sh M", "M")).toEqual([]);
  expect(parseMarkedByPs("", "M")).toEqual([]);
});

test("work for many is done in order, and others have their turn after 64 at most", async () => {
  const done: (number | "others")[] = [];
  const working = eachOf(
    Array.from({ length: 150 }, (_, at) => at),
    (item) => {
      done.push(item);
      return item * 2;
    },
  );
  while (done.length < 150) {
    done.push("others");
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await working).toEqual(Array.from({ length: 150 }, (_, at) => at * 2));
  expect(done.indexOf("others")).toBe(64);
  expect(done.filter((one) => one === "others").length).toBeGreaterThanOrEqual(2);
});

test("a failure of one is the failure of all", async () => {
  const failing = eachOf([1, 2, 3], (item) => {
    if (item === 2) throw new Error("no");
    return item;
  });
  await expect(failing).rejects.toThrow("no");
});

test.each([
  ["ENOENT", true],
  ["ESRCH", true],
  ["EACCES", true],
  ["EIO", false],
  ["EMFILE", false],
])("%s says of a file of /proc that its process is gone or not ours: %s", (code, gone) => {
  expect(isGone(Object.assign(new Error("read"), { code }))).toBe(gone);
});

function line(local: string, inode = "777"): string {
  return `   0: ${local} 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 ${inode} 1 0`;
}
