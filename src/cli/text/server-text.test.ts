import { expect, test } from "vitest";

import type { Style } from "../terminal/style.ts";
import { formatServer } from "./server-text.ts";

const PLAIN: Style = {
  columns: Infinity,
  now: Date.parse("2026-01-02T00:00:00Z"),
  hasColors: false,
  paint: (_format, text) => text,
};

test("a server that runs says where, and one that does not says so", () => {
  const status = {
    running: true,
    pid: 7,
    version: "1.2.3",
    gatewayPort: 7420,
    databasePort: 7421,
    databaseSocket: "/h/run/.s.PGSQL.7421",
    listenArguments: null,
    home: "/h",
    startedAt: "2026-01-01T23:00:00Z",
  };
  const text = formatServer(status, PLAIN);
  expect(text).toContain("process    7, since 1 h");
  expect(text).toContain("gateway    127.0.0.1:7420");
  expect(text).toContain("databases  127.0.0.1:7421, /h/run/.s.PGSQL.7421");
  const absent = { ...status, running: false, pid: null, version: null, startedAt: null };
  expect(formatServer(absent, PLAIN)).toBe("○ The server is not running\n  home  /h");
});
