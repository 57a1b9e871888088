import { expect, test } from "vitest";

import { DEFAULT_LIMITS } from "../../environment/manifest.ts";
import { formatAccess, formatSettings, formatStandby } from "./settings.ts";

const identity = {
  name: "id",
  socketFolder: "/run/x",
  shared: false,
  major: 18,
  limits: DEFAULT_LIMITS,
};

test("a server listens on its socket alone", () => {
  const settings = formatSettings(identity);
  expect(settings).toContain("listen_addresses = ''\n");
  expect(settings).toContain(`unix_socket_directories = '"/run/x"'\n`);
  expect(settings).toContain("fsync = on\n");
});

test("a path with quotes, commas and backslashes stays one path", () => {
  const settings = formatSettings({ ...identity, socketFolder: `/a,'b"c\\d` });
  expect(settings).toContain(`unix_socket_directories = '"/a,''b""c\\\\d"'\n`);
});

test("the socket is open to other users only where the server has a user of its own", () => {
  expect(formatSettings(identity)).toContain("unix_socket_permissions = 0700\n");
  expect(formatSettings({ ...identity, shared: true })).toContain(
    "unix_socket_permissions = 0777\n",
  );
});

test("nobody comes in without a password", () => {
  for (const roles of ["admin", "all"] as const) {
    const rules = formatAccess(roles)
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    expect(rules).toHaveLength(2);
    expect(rules[0]).toMatch(/^local all (ramet|all) scram-sha-256$/);
    expect(rules[1]).toBe("local replication ramet scram-sha-256");
  }
  expect(formatAccess("admin")).not.toContain("all all");
});

test("a standby finds its source whatever the path's characters", () => {
  const settings = formatStandby({
    socketFolder: "/a 'b\\c",
    adminPassword: "p",
    slot: "s",
    name: "id",
  });
  expect(settings).toContain(String.raw`primary_conninfo = 'host=''/a \\''b\\\\c'' port=''5432''`);
});
