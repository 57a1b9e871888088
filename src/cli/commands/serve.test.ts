import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";
import type { ListenRequest } from "../terminal/context.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
});
afterAll(async () => world.close());

/** What the server is told of listening; and how the command ended. */
async function serve(
  ...argv: readonly string[]
): Promise<{ readonly out: string; readonly told: readonly (ListenRequest | undefined)[] }> {
  const told: (ListenRequest | undefined)[] = [];
  const { out } = await world.ramet(["serve", ...argv, "--json"], {
    serve: async (_, listen) => {
      told.push(listen);
      return 0;
    },
  });
  return { out, told };
}

test("without a word it listens for this machine's user alone", async () => {
  expect((await serve()).told).toEqual([undefined]);
});

test("files are those of the folder that it was called in", async () => {
  const { told } = await serve(..."--listen 0.0.0.0 --tls-cert a.pem --tls-key /b.pem".split(" "));
  const certificate = path.join(world.workspace, "a.pem");
  const cover = { kind: "tls", certificate, key: "/b.pem" };
  expect(told).toEqual([{ address: "0.0.0.0", cover, trustsNetwork: false }]);
});

test("behind a proxy it is known by that one's URL", async () => {
  const { told } = await serve(
    ..."--listen 10.0.0.5 --behind-proxy https://ramet.test/ --trust-network".split(" "),
  );
  const cover = { kind: "proxy", url: new URL("https://ramet.test") };
  expect(told).toEqual([{ address: "10.0.0.5", cover, trustsNetwork: true }]);
});

test("nothing that covers what is sent is for the server to refuse", async () => {
  const { told } = await serve("--listen", "0.0.0.0");
  expect(told).toEqual([{ address: "0.0.0.0", cover: null, trustsNetwork: false }]);
});

test.each([
  ["--tls-cert a.pem --tls-key b.pem", "flag_value_missing"],
  ["--listen 0.0.0.0 --tls-cert a.pem", "flag_value_missing"],
  ["--listen 0.0.0.0 --tls-key b.pem", "flag_value_missing"],
  ["--behind-proxy https://ramet.test", "flag_value_missing"],
  ["--listen 127.0.0.1 --behind-proxy https://a.test --tls-cert a.pem", "flags_exclusive"],
  ["--listen 127.0.0.1 --behind-proxy http://a.test", "server_url_invalid"],
  ["--listen 127.0.0.1 --behind-proxy https://a.test/path", "server_url_invalid"],
])("serve %s is refused as %s, before a server is started", async (line, code) => {
  const { out, told } = await serve(...line.split(" "));
  expect(out).toContain(code);
  expect(told).toEqual([]);
});
