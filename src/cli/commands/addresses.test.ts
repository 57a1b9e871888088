import { afterEach, beforeEach, expect, test } from "vitest";

import { ENVIRONMENT } from "../fixtures/answers.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.close());

const BOUND = { app: "shop", environment: "agent" };
const RESULTS = {
  "app.list": [{ name: "shop", environments: ["development"], createdAt: "" }],
  "environment.list": [ENVIRONMENT],
  "environment.show": ENVIRONMENT,
};

test.each([
  [["logs", "--level", "loud"], "flag_invalid"],
  [["logs", "--since", "yesterday"], "flag_invalid"],
  [["logs", "--access", "-p", "web"], "flags_exclusive"],
  [["env", "front", "--off", "--port", "3000"], "flags_exclusive"],
  [["env", "front", "--port", "0"], "flag_invalid"],
  [["env", "front", "--port", "65536"], "flag_invalid"],
  [["server", "domain", "dev.example.com"], "flag_value_missing"],
  [["server", "domain", "dev.example.com", "--certificate", "c.pem"], "flag_value_missing"],
  [["server", "domain", "dev.example.com", "--off"], "flags_exclusive"],
] as const)("%j is refused before anything is asked", async (argv, code) => {
  await world.bind();
  const { calls } = await world.serve(RESULTS);
  expect(await world.json(argv)).toMatchObject({ problem: { code } });
  const asked = calls.filter(({ name }) => name !== "environment.show" && name !== "app.list");
  expect(asked).toEqual([]);
});

test("env front asks for the declared ports, for one, or for none, and says where it is then", async () => {
  await world.bind();
  const fronts = [
    { port: 3000, process: "web" },
    { port: 4000, process: "api" },
  ];
  const { calls } = await world.serve({
    ...RESULTS,
    "environment.front": { ...ENVIRONMENT, fronts },
  });
  expect((await world.ramet(["env", "front"])).out).toBe(
    "✓ shop/agent is at\n  http://localhost:3000\n  http://localhost:4000\n",
  );
  expect(calls.at(-1)?.input).toEqual({ ...BOUND, port: null, off: false });
  await world.ramet(["env", "front", "other", "--port", "3000"]);
  expect(calls.at(-1)?.input).toEqual({ ...BOUND, environment: "other", port: 3000, off: false });
  await world.serve({ ...RESULTS, "environment.front": { ...ENVIRONMENT, fronts: [] } });
  const { out } = await world.ramet(["env", "front", "--off"]);
  expect(out).toBe("✓ shop/agent has no port of this machine\n");
});

test("a port that leads to an environment is seen in env show, and in env list where any has one", async () => {
  await world.bind();
  const fronted = { ...ENVIRONMENT, fronts: [{ port: 3000, process: "web" }] };
  await world.serve({ ...RESULTS, "environment.show": fronted, "environment.list": [fronted] });
  expect((await world.ramet(["env", "show"])).out).toContain(
    "front      http://localhost:3000 (web)",
  );
  expect((await world.ramet(["env", "list"])).out).toMatch(/FRONT[^\n]*\n.* :3000 /);
  await world.serve({ ...RESULTS, "environment.list": [ENVIRONMENT] });
  expect((await world.ramet(["env", "list"])).out).not.toContain("FRONT");
});

test("server domain takes files as they are named from here, and says what there is", async () => {
  await world.bind();
  const domain = { name: "dev.example.com", certificate: "/c.pem", key: "/k.pem" };
  const { calls } = await world.serve({ ...RESULTS, "server.domain": domain });
  const { out } = await world.ramet([
    "server",
    "domain",
    "DEV.example.com",
    "--certificate",
    "c.pem",
    "--key",
    "../k.pem",
  ]);
  expect(out).toBe(
    "● Environments are at APP--ENV.dev.example.com too\n  certificate  /c.pem\n  key          /k.pem\n",
  );
  expect(calls.at(-1)?.input).toEqual({
    change: {
      domain: {
        name: "dev.example.com",
        certificate: `${world.workspace}/c.pem`,
        key: `${world.folder}/k.pem`,
      },
    },
  });
  await world.ramet(["server", "domain"]);
  expect(calls.at(-1)?.input).toEqual({ change: null });
  await world.serve({ ...RESULTS, "server.domain": null });
  expect((await world.ramet(["server", "domain", "--off"])).out).toBe("○ No domain of its own\n");
});
