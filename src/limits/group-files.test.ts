import { expect, test } from "vitest";

import {
  describeAccount,
  type Hierarchy,
  listAncestors,
  listEventFiles,
  parseCount,
  parseMounts,
  parseOwnPath,
  parsePressure,
  parseUsage,
  planSettings,
} from "./group-files.ts";

const LIMITS = { memoryBytes: 2e9, cpus: 1.5, processes: 512, diskBytes: null };
const FIRST: Hierarchy = {
  kind: "v1",
  places: new Map([
    ["memory", "/c/memory/ramet.h."],
    ["cpu", "/c/cpu/ramet.h."],
    ["pids", "/c/pids/ramet.h."],
  ]),
  accounts: "/c/cpuacct/ramet.h.",
};
const SECOND: Hierarchy = {
  kind: "v2",
  places: new Map([
    ["memory", "/c/ramet.h."],
    ["cpu", "/c/ramet.h."],
    ["pids", "/c/ramet.h."],
  ]),
  accounts: "/c/ramet.h.",
};

test("a group is bounded by the files of its hierarchy's version", () => {
  expect(planSettings(FIRST, "a", LIMITS)).toEqual([
    { file: "/c/memory/ramet.h.a/memory.limit_in_bytes", value: "2000000000" },
    { file: "/c/cpu/ramet.h.a/cpu.cfs_period_us", value: "100000" },
    { file: "/c/cpu/ramet.h.a/cpu.cfs_quota_us", value: "150000" },
    { file: "/c/pids/ramet.h.a/pids.max", value: "512" },
  ]);
  expect(planSettings(SECOND, "a", LIMITS)).toEqual([
    { file: "/c/ramet.h.a/memory.max", value: "2000000000" },
    { file: "/c/ramet.h.a/cpu.max", value: "150000 100000" },
    { file: "/c/ramet.h.a/pids.max", value: "512" },
  ]);
  const pids = { kind: "v2", places: new Map([["pids", "/c"]] as const), accounts: null } as const;
  expect(planSettings(pids, "a", LIMITS)).toHaveLength(1);
});

test("what the kernel has kept from a group is read from where its version counts it", () => {
  expect(listEventFiles(FIRST, "a")).toEqual({
    kills: "/c/memory/ramet.h.a/memory.oom_control",
    refusals: "/c/pids/ramet.h.a/pids.events",
  });
  expect(listEventFiles(SECOND, "a").kills).toBe("/c/ramet.h.a/memory.events");
  expect(listEventFiles({ kind: "v2", places: new Map(), accounts: null }, "a")).toEqual({
    kills: null,
    refusals: null,
  });
  expect(parseCount("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "oom_kill")).toBe(3);
  expect(parseCount("low 0\nmax 12\n", "max")).toBe(12);
  expect(parseCount("", "max")).toBe(0);
});

test("the processor time of a group is read from where its version counts it", () => {
  const file = "/c/cpuacct/ramet.h.a/cpuacct.usage";
  expect(describeAccount(FIRST, "a")).toEqual({ file, perMs: 1e6 });
  expect(parseUsage("2500000000\n")).toBe(2.5e9);
  expect(describeAccount(SECOND, "a")).toEqual({ file: "/c/ramet.h.a/cpu.stat", perMs: 1e3 });
  expect(parseUsage("usage_usec 1234\nuser_usec 1000\nsystem_usec 234\n")).toBe(1234);
  expect(describeAccount({ ...SECOND, accounts: null }, "a")).toBeNull();
});

test("where groups can be made is read from the mounts, whatever else is mounted", () => {
  const text = [
    "25 1 254:0 / / rw,relatime - ext4 /dev/root rw",
    "31 25 0:27 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory",
    "32 25 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
    "33 25 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
    "",
  ].join("\n");
  expect(parseMounts(text)).toEqual([
    { point: "/sys/fs/cgroup/memory", type: "cgroup", options: "rw,memory" },
    { point: "/sys/fs/cgroup/cpu,cpuacct", type: "cgroup", options: "rw,cpu,cpuacct" },
    { point: "/sys/fs/cgroup/unified", type: "cgroup2", options: "rw" },
  ]);
});

test("what was handed to us is looked for from the top down", () => {
  const own = parseOwnPath("4:memory:/x\n0::/user.slice/user@1000.service/app.slice\n");
  expect(listAncestors("/c", own)).toEqual([
    "/c",
    "/c/user.slice",
    "/c/user.slice/user@1000.service",
    "/c/user.slice/user@1000.service/app.slice",
  ]);
  expect(listAncestors("/c", parseOwnPath("0::/\n"))).toEqual(["/c"]);
  expect(listAncestors("/c", parseOwnPath("0::/../../elsewhere"))).toEqual(["/c", "/c/elsewhere"]);
});

test.each([
  ["some avg10=53.23 avg60=51.96 avg300=45.95 total=17822292548\nfull avg10=0.00", 0.5323],
  ["some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", 0],
  ["", undefined],
])("of the pressure %j is %j", (text, part) => {
  expect(parsePressure(text)).toBe(part);
});
