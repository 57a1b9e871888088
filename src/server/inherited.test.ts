import { expect, test } from "vitest";

import { listInherited } from "./inherited.ts";

test("children see where things are and how to speak, and nothing else of the server's environment", () => {
  const environment = {
    HOME: "/home/ann",
    LC_TIME: "C",
    LANG: "C.UTF-8",
    AWS_SECRET_ACCESS_KEY: "secret",
    DATABASE_URL: "postgres://elsewhere",
    NODE_OPTIONS: "--inspect",
    RAMET_MARK: "home.id.runtime",
    npm_lifecycle_event: "demo",
    TZ: undefined,
  };
  expect(listInherited(environment)).toEqual({ HOME: "/home/ann", LC_TIME: "C", LANG: "C.UTF-8" });
});
