import { expect, test } from "vitest";

import { isReloading } from "./reloading.ts";

test.each([
  ["fastify start -w -l info app.js", true],
  ["fastify start app.js", false],
  ["nest start --watch", true],
  ["nest start", false],
  ["node ace serve --hmr", true],
  ["node ace serve", false],
  ["storybook dev -p 6006", true],
  ["start-storybook", true],
  ["next", true],
  ["next build", false],
  ["vitepress dev docs", true],
  ["rsbuild dev", true],
  ["rspack serve", true],
  ["parcel src/index.html", true],
  ["parcel build src/index.html", false],
  ["docusaurus start", true],
  ["vinxi dev", true],
  ["node build.js vite.config.ts", false],
  ["bun --hot server.ts", true],
])("whether %j sees edits by itself: %j", (command, expected) => {
  expect(isReloading(command, undefined)).toBe(expected);
});
