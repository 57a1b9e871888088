import fc from "fast-check";
import { expect, test } from "vitest";

import { isEnding, isWatcher } from "./ending.ts";
import { parseInvocation } from "./invocation.ts";
import { listLeaves } from "./script-leaves.ts";
import { parseShell } from "./shell.ts";

function invocationOf(script: string): ReturnType<typeof parseInvocation> {
  return parseInvocation(parseShell(script)[0]?.words ?? []);
}

test.each<[script: string, commands: readonly (readonly string[])[]]>([
  ["a b", [["a", "b"]]],
  ["  a   'b c' \"d e\" f\\ g ", [["a", "b c", "d e", "f g"]]],
  ["a && b || c; d | e & f", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]],
  ["a 2>&1 | b", [["a", "2>&1"], ["b"]]],
  ['a "b && c"', [["a", "b && c"]]],
  ["a\nb", [["a"], ["b"]]],
  ["", []],
  ["&&", []],
])("the shell takes %j apart as %j", (script, commands) => {
  expect(parseShell(script).map(({ words }) => words)).toEqual(commands);
});

test.each<[script: string, program: string, args: readonly string[]]>([
  ["vite --open", "vite", ["--open"]],
  ["NODE_ENV=x A=1 cross-env B=2 vite", "vite", []],
  ["dotenv -e .env -- next dev", "next", ["dev"]],
  ["dotenvx run -f .env -- next dev", "next", ["dev"]],
  ["env-cmd -f .env.dev astro dev", "astro", ["dev"]],
  ["npx --yes vite", "vite", []],
  ["pnpm exec vite", "vite", []],
  ["node_modules/.bin/vite", "vite", []],
  ["node ./node_modules/next/dist/bin/next dev", "next", ["dev"]],
  ["node --watch server.js", "node", ["--watch", "server.js"]],
  ["env", "env", []],
])("%j comes down to %j with %j", (script, program, args) => {
  expect(invocationOf(script)).toMatchObject({ program, args });
});

test("what is set for a program alone is known", () => {
  expect(invocationOf("PORT=1 cross-env HOST='a b' node x").variables).toEqual({
    PORT: "1",
    HOST: "a b",
  });
});

test.each<[script: string, ends: boolean, watches: boolean]>([
  ["tsc", true, false],
  ["tsc --watch", false, true],
  ["vite", false, false],
  ["vite build", true, false],
  ["vite preview", false, false],
  ["next build", true, false],
  ["vitest run", true, false],
  ["vitest", false, true],
  ["echo hi", true, false],
  ["node -e 1", true, false],
  ["node server.js", false, false],
  ["webpack serve", false, false],
  ["webpack --watch", false, true],
  ["npm install", true, false],
  ["./own-program", false, false],
])("%j ends by itself: %j, and only watches: %j", (script, ends, watches) => {
  expect([isEnding(invocationOf(script)), isWatcher(invocationOf(script))]).toEqual([
    ends,
    watches,
  ]);
});

const scripts = {
  api: "node api.js",
  "dev:web": "vite",
  "dev:css": "tailwindcss -w",
  loop: "npm run loop",
  serve: "dotenv --",
  forwards: "npm run forwards -- x",
  deep: "npm run dev:web",
};

test.each<[script: string, leaves: readonly string[]]>([
  ["tsc && node a.js", ["node a.js"]],
  ["node a.js | pino-pretty", ["node a.js"]],
  ["vite & node a.js", ["vite", "node a.js"]],
  ["tsc -w & tsc && vite & wait", ["tsc -w", "vite"]],
  ["npm run deep", ["vite"]],
  ["yarn api", ["node api.js"]],
  ["npm api", ["npm api"]],
  ["npm run api -w other", ["npm run api -w other"]],
  ['concurrently -n "a,b" "npm:dev:*" "node x"', ["vite", "tailwindcss -w", "node x"]],
  ["run-p api dev:web", ["node api.js", "vite"]],
  ["run-s api dev:web", ["vite"]],
  ["npm-run-all --parallel dev:*", ["vite", "tailwindcss -w"]],
  ["npm run loop", []],
  ["cd other && npm run api", ["npm run api"]],
  ["npm --prefix other run api", ["npm --prefix other run api"]],
  ["npm run serve -- node a.js", ["dotenv -- node a.js"]],
  ["npm run serve node a.js", ["dotenv --"]],
  ["pnpm serve node 'a b.js'", ["dotenv -- node 'a b.js'"]],
  ["npm run forwards", []],
  ["", []],
])("%j leaves %j running", (script, leaves) => {
  expect(listLeaves(script, scripts).map(({ text }) => text)).toEqual(leaves);
});

test("whatever a script says, its reading ends", () => {
  const words = fc.constantFrom("npm run a", "npm run b", "&", "&&", "concurrently", "'", '"', "x");
  const script = fc.array(words, { maxLength: 12 }).map((parts) => parts.join(" "));
  fc.assert(fc.property(script, script, (a, b) => listLeaves("npm run a", { a, b }).length <= 16));
});
