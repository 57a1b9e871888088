import { expect, test } from "vitest";

import { findPortFlags, findScriptPort } from "./script-tool.ts";
import { lastCommand } from "./shell-words.ts";

const VITE = "--port $PORT --strictPort --host $HOST";
const LONG = "--port $PORT --host $HOST";

test.each<[line: string, words: readonly string[]]>([
  ["a && b 'c d' \"e f\"", ["b", "c d", "e f"]],
  ["NODE_OPTIONS='--inspect --x' vite", ["NODE_OPTIONS=--inspect --x", "vite"]],
  ['a "&&" b', ["a", "&&", "b"]],
  ["vite 2>&1", ["vite", "2>&1"]],
  [String.raw`a b\ c "d \"e\""`, ["a", "b c", 'd "e"']],
  ["a;", []],
  ["", []],
])("the last command of %j is %j", (line, words) => {
  expect(lastCommand(line)).toEqual(words);
});

test.each<[script: string, flags: string | null]>([
  ["vite ./frontend", VITE],
  ["vite build --watch", null],
  ["NODE_OPTIONS='--inspect --trace-warnings' vite", VITE],
  ['NODE_OPTIONS="--max-old-space-size=4096" next dev', "-p $PORT -H $HOST"],
  ["cross-env NODE_OPTIONS='--a --b' next dev --turbopack", "-p $PORT -H $HOST"],
  ["dotenv -e .env.local vite", VITE],
  ["env-cmd -f .env vite", VITE],
  ["dotenvx run -f .env -- next dev", "-p $PORT -H $HOST"],
  ["infisical run --env dev -- vite", VITE],
  ["npx --yes vite", VITE],
  ["bun --bun vite", VITE],
  ["yarn vite", VITE],
  ["node --inspect node_modules/vite/bin/vite.js", VITE],
  ["node -r dotenv/config node_modules/next/dist/bin/next dev", "-p $PORT -H $HOST"],
  ["node vite.js", null],
  ["node serve", null],
  ["./scripts/vite", null],
  ["vite 2>&1", VITE],
  ["vite --port 3000", VITE],
  ["next -p 4000", "-p $PORT -H $HOST"],
  ["next dev --turbo", "-p $PORT -H $HOST"],
  ["nuxt dev", LONG],
  ["nuxi dev --no-fork", LONG],
  ["nuxt build", null],
  ["astro dev --port 4000", null],
  ["astro dev --host 0.0.0.0", "--port $PORT"],
  ["fastify start -w -l info -P app.js", "--port $PORT --address $HOST"],
  ["fastify start -p 3001 app.js", null],
  ["nest start --watch", null],
  ["node ace serve --hmr", null],
  ["storybook dev -p 6006", "--port $PORT --ci --host $HOST"],
  ["storybook build", null],
  ["webpack-dev-server --mode development", LONG],
  ["rspack serve", LONG],
  ["parcel src/index.html", LONG],
  ["parcel watch src/index.html", null],
  ["serve -s build", "--listen tcp://$HOST:$PORT"],
  ["http-server public", "-p $PORT -a $HOST"],
  ["http-server -p 8080", null],
  ["json-server --watch db.json", LONG],
  ["wrangler dev src/index.ts", "--port $PORT --ip $HOST"],
  ["wrangler deploy", null],
  ["tsx watch src/index.ts", null],
  ["ts-node src/index.ts", null],
  ["nodemon server.js", null],
  ["react-scripts start", null],
  ["'unclosed", null],
])("the script %j takes its port by %j", (script, flags) => {
  expect(findPortFlags(script)).toBe(flags);
});

const SCRIPTS = {
  web: "vite",
  api: "node api.js",
  ported: "PORT=4000 node api.js",
  again: "npm run web",
  round: "npm run round",
  start: "next start",
};

test.each<[script: string, flags: string | null]>([
  ["npm run web", `-- ${VITE}`],
  ["npm run web -- --open", VITE],
  ["npm run --silent web", `-- ${VITE}`],
  ["npm start", "-- -p $PORT -H $HOST"],
  ["npm web", null],
  ["pnpm web", VITE],
  ["pnpm run web", VITE],
  ["yarn web", VITE],
  ["bun run web", VITE],
  ["NODE_ENV=x pnpm run again", `-- ${VITE}`],
  ["cross-env A=1 npm run web", `-- ${VITE}`],
  ["npm run again", `-- -- ${VITE}`],
  ["npm run api", null],
  ["npm run round", null],
  ["npm run none", null],
  ["pnpm --filter other web", null],
  ["npm run web -w other", null],
])("the script %j, which may call others, takes its port by %j", (script, flags) => {
  expect(findPortFlags(script, SCRIPTS)).toBe(flags);
});

test.each<[script: string, port: number | null]>([
  ["PORT=4000 node server.js", 4000],
  ["cross-env PORT=4000 tsx src/index.ts", 4000],
  ["http-server -p 8080", 8080],
  ["http-server --port=8080", 8080],
  ["serve -l 5000 build", 5000],
  ["astro dev --port 4000", 4000],
  ["node server.js --port 4000", 4000],
  ["npm run ported", 4000],
  ["yarn ported", 4000],
  ["PORT=4000 next dev", null],
  ["vite --port 4000", null],
  ["PORT=$WEB_PORT node server.js", null],
  ["node server.js -p", null],
  ["node server.js", null],
  ["", null],
])("the script %j names the port %j", (script, port) => {
  expect(findScriptPort(script, SCRIPTS)).toBe(port);
});
