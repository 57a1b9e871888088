import { once } from "node:events";
import { mkdtemp, realpath, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, test } from "vitest";

import { isListening } from "./is-listening.ts";
import { removeInside } from "./remove-inside.ts";

test("a unix socket is listened on while its server is there, and neither a plain file nor nothing is", async () => {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), "ril-")));
  const at = { path: path.join(folder, "socket") };
  const server = createServer((client) => client.destroy()).listen(at);
  await once(server, "listening");
  expect(await isListening(at)).toBe(true);
  server.close();
  await once(server, "close");
  expect(await isListening(at)).toBe(false);
  const file = path.join(folder, "file");
  await writeFile(file, "");
  expect(await isListening({ path: file })).toBe(false);
  await removeInside(tmpdir(), folder);
});

test("a port is listened on at the address at which it is, and at no other", async () => {
  const server = createServer((client) => client.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  expect(await isListening({ host: "127.0.0.1", port })).toBe(true);
  expect(await isListening({ host: "::1", port })).toBe(false);
  server.close();
  await once(server, "close");
  expect(await isListening({ host: "127.0.0.1", port })).toBe(false);
});
