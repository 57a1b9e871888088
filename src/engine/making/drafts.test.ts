import { expect, test } from "vitest";

import { parseAppName, parseEnvironmentName } from "../../environment/name.ts";
import { createEnvironmentId } from "../home/layout.ts";
import { Registry } from "../live/registry.ts";
import type { CreateRequest } from "./creation.ts";
import { Drafts } from "./drafts.ts";

const registry = new Registry();

function requestFor(name: string): CreateRequest {
  const app = parseAppName("shop");
  const files = { kind: "kept" } as const;
  return { app, name: parseEnvironmentName(name), source: null, files, searchPath: "" };
}

test("a name that is being made is taken until that is settled", () => {
  const drafts = new Drafts();
  const first = requestFor("agent");
  drafts.reserve(first, registry);
  expect(() => drafts.reserve(requestFor("agent"), registry)).toThrow("already has");
  drafts.reserve(requestFor("other"), registry);

  drafts.settle(first);
  drafts.reserve(requestFor("agent"), registry);
});

test("a uid is taken from the moment it is chosen, before anything is made", () => {
  const drafts = new Drafts();
  const request = requestFor("agent");
  drafts.reserve(request, registry);
  expect(drafts.uids()).toEqual([]);
  drafts.take(request, { id: createEnvironmentId(), uid: 700_004, standby: null });
  expect(drafts.uids()).toEqual([700_004]);

  drafts.settle(request);
  expect(drafts.uids()).toEqual([]);
});

test("a request that was settled before lets go of nothing that has come since", () => {
  const drafts = new Drafts();
  const [first, second] = [requestFor("agent"), requestFor("agent")];
  drafts.reserve(first, registry);
  drafts.settle(first);
  drafts.reserve(second, registry);

  drafts.settle(first);
  expect(() => drafts.reserve(requestFor("agent"), registry)).toThrow("already has");
});
