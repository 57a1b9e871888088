import { expect, test } from "vitest";

import { Problem } from "../../base/problem.ts";
import { WakeFailure } from "./wake-failure.ts";

test("a failure is told until the next wake is well, and is fresh at first", () => {
  const failure = new WakeFailure();
  expect([failure.problem(), failure.freshProblem()]).toEqual([undefined, undefined]);
  const fields = {
    code: "files_missing",
    message: "They are not there.",
    remedy: "Put them back.",
  };
  failure.note(new Problem(fields));
  expect([failure.problem(), failure.freshProblem()]).toEqual([fields, fields]);
  failure.clear();
  expect([failure.problem(), failure.freshProblem()]).toEqual([undefined, undefined]);
});

test("what is no problem of a person's is told as the wake's", () => {
  const failure = new WakeFailure();
  failure.note(new Error("a bug"));
  expect(failure.problem()).toMatchObject({ code: "wake_failed", message: "wake: a bug" });
});
