import { expect, test } from "vitest";

import { CALLS } from "../../protocol/calls.ts";
import { CALL_TABLE, findCall } from "./call-table.ts";

test.each(Object.entries(CALLS))("the call %s is answered by its own schema", (name, schema) => {
  expect(findCall(name)?.schema).toBe(schema);
});

test("there is no call besides those of the protocol", () => {
  expect(Object.keys(CALL_TABLE).toSorted()).toEqual(Object.keys(CALLS).toSorted());
  for (const name of ["", "toString", "__proto__", "environment.create "])
    expect(findCall(name)).toBeUndefined();
});
