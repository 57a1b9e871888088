import { type Miniature, NEXT, NO_STEPS, pack, VITE, web } from "./miniature.ts";

const HONO = `import { serve } from "@hono/node-server";\nserve({ fetch: app.fetch, port: 3000 }, say);\n`;
const EXPRESS_GENERATOR = `var app = require("../app");\nvar port = normalizePort(process.env.PORT || "3000");\nserver.listen(port);\n`;

/** Apps of one package that start by one script, or by a file alone. */
export const FRAMEWORKS: readonly Miniature[] = [
  {
    name: "Vite with npm's lock file",
    files: { "package.json": pack({ dev: "vite" }, ["vite"]), "package-lock.json": "{}" },
    expected: {
      processes: web(`npm run dev -- ${VITE}`, { port: true, reloads: true, ownPort: null }),
      setup: "npm ci",
      database: NO_STEPS,
      clone: ["node_modules"],
      warnings: [],
    },
  },
  {
    name: "Next.js with pnpm, its own port overruled",
    files: {
      "package.json": pack({ dev: "next dev --turbopack" }, ["next"]),
      "pnpm-lock.yaml": "",
    },
    expected: {
      processes: web(`pnpm run dev ${NEXT}`, { ownPort: null }),
      setup: "pnpm install --frozen-lockfile",
    },
  },
  {
    name: "React Router with Yarn 4",
    files: {
      "package.json": pack({ dev: "react-router dev" }, ["@react-router/dev"], {
        packageManager: "yarn@4.5.0",
      }),
      "yarn.lock": "",
    },
    expected: {
      processes: web(`yarn run dev ${VITE}`),
      setup: "yarn install --immutable",
    },
  },
  {
    name: "SvelteKit with Bun",
    files: { "package.json": pack({ dev: "vite dev" }, ["@sveltejs/kit"]), "bun.lock": "" },
    expected: { processes: web(`bun run dev ${VITE}`), setup: "bun install" },
  },
  {
    name: "Angular, whose script is start",
    files: { "package.json": pack({ ng: "ng", start: "ng serve", build: "ng build" }) },
    expected: { processes: web("npm run start -- --port $PORT --host $HOST"), setup: null },
  },
  {
    name: "Astro behind env-cmd",
    files: { "package.json": pack({ dev: "env-cmd -f .env.dev astro dev" }, ["astro"]) },
    expected: { processes: web("npm run dev -- --port $PORT --host $HOST") },
  },
  {
    name: "Express as its generator makes it",
    files: {
      "package.json": pack({ start: "node ./bin/www" }, ["express"]),
      "bin/www": EXPRESS_GENERATOR,
      "app.js": "module.exports = app;",
    },
    expected: { processes: web("npm run start", { ownPort: null, reloads: false }) },
  },
  {
    name: "NestJS, started by start:dev",
    files: {
      "package.json": pack({ start: "nest start", "start:dev": "nest start --watch" }, [
        "@nestjs/core",
      ]),
      "src/main.ts": "await app.listen(process.env.PORT ?? 3000);",
    },
    expected: { processes: web("npm run start:dev", { ownPort: null, reloads: true }) },
  },
  {
    name: "Hono with the port in its code",
    files: {
      "package.json": pack({ dev: "tsx watch src/index.ts" }, ["hono"]),
      "src/index.ts": HONO,
    },
    expected: { processes: web("npm run dev", { ownPort: 3000, reloads: true }) },
  },
  {
    name: "Fastify with the port in a constant of another file",
    files: {
      "package.json": pack({ start: "node src/server.js" }, ["fastify"]),
      "src/server.js": `import { PORT } from "./settings.js";\nawait app.listen({ port: PORT, host: "0.0.0.0" });\n`,
      "src/settings.js": "export const PORT = 4321;\n",
    },
    expected: { processes: web("npm run start", { ownPort: 4321 }) },
  },
  {
    name: "a default is no port of its own",
    files: {
      "package.json": pack({ dev: "node --watch server.js" }, ["express"]),
      "server.js": "const port = Number(process.env.PORT ?? 3000);\napp.listen(port, () => {});\n",
    },
    expected: { processes: web("npm run dev", { ownPort: null }) },
  },
  {
    name: "a port in a comment is none",
    files: {
      "package.json": pack({ dev: "node server.js" }, ["express"]),
      "server.js": "// app.listen(3000)\n/* app.listen(4000) */\napp.listen(process.env.PORT);\n",
    },
    expected: { processes: web("npm run dev", { ownPort: null }) },
  },
  {
    name: "the port that the script sets",
    files: {
      "package.json": pack({ dev: "cross-env PORT=4000 node server.js" }, ["express"]),
      "server.js": "app.listen(process.env.PORT);",
    },
    expected: { processes: web("npm run dev", { ownPort: 4000 }) },
  },
  {
    name: "a tool's port in the script is overruled by the flags",
    files: { "package.json": pack({ dev: "vite --port 4000" }, ["vite"]) },
    expected: { processes: web(`npm run dev -- ${VITE}`, { ownPort: null }) },
  },
  {
    name: "a plain server.js without any script",
    files: { "package.json": { name: "mini" }, "server.js": "http.createServer(f).listen(8080);" },
    expected: { processes: web("node server.js", { ownPort: 8080 }), setup: null },
  },
  {
    name: "main without any script, in TypeScript",
    files: {
      "package.json": pack({}, ["tsx", "express"], { main: "src/index.ts" }),
      "src/index.ts": "app.listen(process.env.PORT);",
    },
    expected: { processes: web("npx tsx src/index.ts") },
  },
];
