import { expect, test } from "vitest";

import { findTakenPort } from "./taken-port.ts";

test.each<[says: string, port: number | null]>([
  ["Error: listen EADDRINUSE: address already in use :::3000", 3000],
  ["Error: listen EADDRINUSE: address already in use 127.0.0.1:3000", 3000],
  ["Error: Port 5173 is already in use", 5173],
  ["OSError: [Errno 98] Address already in use", null],
  ["listen tcp :8080: bind: address already in use", 8080],
  ["Failed to listen on localhost:8000 (reason: Address already in use)", 8000],
  ["Web server failed to start. Port 8080 was already in use.", 8080],
  ['Address already in use - bind(2) for "127.0.0.1" port 3000 (Errno::EADDRINUSE)', 3000],
])("a program that says %j found a port taken", (says, port) => {
  expect(findTakenPort(["starts", `  ${says}`, "ends"])).toEqual({ line: says, port });
});

test.each([["listening on port 3000"], ["the database is in use"], ["support in use"], [""]])(
  "a program that says %j did not",
  (says) => {
    expect(findTakenPort([says])).toBeUndefined();
  },
);
