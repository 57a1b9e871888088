import path from "node:path";

import { expect, test } from "vitest";

import { findHome } from "./home.ts";
import type { Surroundings } from "./home.ts";

const ann: Surroundings = { environment: {}, uid: 1000, userHome: "/home/ann" };
const LONG = `/home/ann/${"deep/".repeat(20)}ramet`;

function socketsIn(runtime: string, uid = 1000): string {
  const environment = { RAMET_HOME: LONG, XDG_RUNTIME_DIR: runtime };
  return findHome({ ...ann, uid, environment }).sockets;
}

test("a home lies in the user's own folder, or where root's data belongs", () => {
  expect(findHome(ann).folder).toBe("/home/ann/.ramet");
  expect(findHome({ ...ann, uid: 0 }).folder).toBe("/var/lib/ramet");
  expect(findHome({ ...ann, uid: null }).folder).toBe("/home/ann/.ramet");
});

test("RAMET_HOME says where else, for root too; an empty one says nothing", () => {
  const chosen = { ...ann, environment: { RAMET_HOME: "/srv/ramet/" } };
  expect(findHome(chosen).folder).toBe("/srv/ramet");
  expect(findHome({ ...chosen, uid: 0 }).folder).toBe("/srv/ramet");
  expect(findHome({ ...ann, environment: { RAMET_HOME: "" } }).folder).toBe("/home/ann/.ramet");
});

test("a home that is named relatively is the same, however it is written", () => {
  const relative = findHome({ ...ann, environment: { RAMET_HOME: "a/../b" } });
  expect(relative.folder).toBe(path.resolve("b"));
  expect(relative.sockets.startsWith(relative.folder)).toBe(true);
});

test("all that a server keeps of itself lies in its home", () => {
  const { folder, sockets, socket, token, serverFile, serverLog } = findHome(ann);
  for (const file of [sockets, token, serverFile, serverLog])
    expect(path.dirname(file)).toBe(folder);
  expect(path.dirname(socket)).toBe(sockets);
});

test("where a home's path is too long for sockets they lie in a short folder that only this home has", () => {
  const homes = [LONG, `${LONG}2`].map((folder) =>
    findHome({ ...ann, environment: { RAMET_HOME: folder } }),
  );
  const [first, second] = homes.map(({ sockets }) => sockets);
  expect(first).toMatch(/^\/tmp\/ramet-1000-[0-9a-f]{12}$/);
  expect(second).not.toBe(first);
});

test("the user's runtime folder is preferred to /tmp, unless it is relative, too long, or another user's", () => {
  expect(socketsIn("/run/user/1000")).toMatch(/^\/run\/user\/1000\/ramet-[0-9a-f]{12}$/);
  for (const sockets of [
    socketsIn("run"),
    socketsIn(""),
    socketsIn(`/${"x".repeat(90)}`),
    socketsIn("/run/user/1000", 0),
  ])
    expect(sockets).toMatch(/^\/tmp\/ramet-\d+-/);
});
