import { expect, test } from "vitest";

import { leaving } from "./leaving.ts";

const QUICK = { letGoMs: 20, cutMs: 20 };

async function never(): Promise<never> {
  return Promise.withResolvers<never>().promise;
}

test("what never ends when it is given up keeps no server from leaving", async () => {
  const server = leaving([], never, QUICK);
  expect((await server.leave()).isLetGo).toBe(false);
});

test("a gateway on which something never ends is left and closed all the same", async () => {
  const server = leaving([{ leave: never, close: never }], async () => undefined, QUICK);
  expect((await server.leave()).isLetGo).toBe(true);
  await server.close();
});

test("nobody is turned away before environments are let go of", async () => {
  const steps: string[] = [];
  const gateway = { leave: async () => void steps.push("left"), close: async () => undefined };
  await leaving([gateway], async () => void steps.push("let go")).leave();
  expect(steps).toEqual(["let go", "left"]);
});

test("what goes wrong while environments are let go of is thrown", async () => {
  const failing = leaving([], async () => Promise.reject(new Error("It broke.")));
  await expect(failing.leave()).rejects.toThrow("It broke.");
});
