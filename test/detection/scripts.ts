import { type Miniature, NEXT, pack, VITE, web } from "./miniature.ts";

/** Apps of one package whose scripts say more than one thing, or nothing. */
export const SCRIPTS: readonly Miniature[] = [
  {
    name: "a library is no app",
    files: { "package.json": { name: "mini", main: "index.js" }, "index.js": "exports.a = 1;" },
    problem: { code: "app_no_command", says: "package.json has no script that starts the app" },
  },
  {
    name: "no script but build",
    files: { "package.json": pack({ build: "tsc" }) },
    problem: { code: "app_no_command", says: "how to run the app is unknown" },
  },
  {
    name: "dev that ends at once",
    files: { "package.json": pack({ dev: "tsc" }) },
    problem: { code: "app_script_ends", says: 'The script "dev" of package.json is "tsc"' },
  },
  {
    name: "start that only greets",
    files: { "package.json": pack({ start: 'echo "hi"' }) },
    problem: { code: "app_script_ends", says: "starts nothing that answers requests" },
  },
  {
    name: "dev that ends, and start that runs what was built",
    files: {
      "package.json": pack({ dev: "tsc --watch", build: "tsc", start: "node dist/server.js" }, [
        "koa",
      ]),
    },
    expected: {
      processes: web("npm run start"),
      setup: "npm install && npm run build",
      clone: ["node_modules", "dist"],
    },
  },
  {
    name: "two lock files",
    files: {
      "package.json": pack({ dev: "vite" }, ["vite"]),
      "package-lock.json": "{}",
      "pnpm-lock.yaml": "",
    },
    problem: { code: "detection_ambiguous", says: "which of pnpm, npm installs the packages?" },
  },
  {
    name: "two lock files, of which package.json names one",
    files: {
      "package.json": pack({ dev: "vite" }, ["vite"], { packageManager: "npm@10.0.0" }),
      "package-lock.json": "{}",
      "pnpm-lock.yaml": "",
    },
    expected: { setup: "npm ci" },
  },
  {
    name: "two frameworks and no usual script",
    files: {
      "package.json": pack({ shop: "next dev", admin: "nuxt dev" }, ["next", "nuxt"]),
    },
    problem: { code: "detection_ambiguous", says: "which of shop, admin does?" },
  },
  {
    name: "two frameworks, of which dev starts one",
    files: { "package.json": pack({ dev: "next dev", old: "nuxt dev" }, ["next", "nuxt"]) },
    expected: { processes: web(`npm run dev -- ${NEXT}`) },
  },
  {
    name: "a page and a server with a script each",
    files: {
      "package.json": pack({ "dev:web": "vite", "dev:api": "tsx watch api.ts" }, [
        "vite",
        "express",
      ]),
      "api.ts": "app.listen(3001)",
    },
    expected: {
      processes: {
        web: `npm run dev:web -- ${VITE}`,
        api: { command: "npm run dev:api", ownPort: 3001 },
      },
    },
  },
  {
    name: "concurrently, whose parts stand for themselves",
    files: {
      "package.json": pack(
        { dev: 'concurrently -n web,api "vite" "npm:server"', server: "node --watch server.js" },
        ["vite", "express"],
      ),
      "server.js": "app.listen(process.env.PORT || 3001)",
    },
    expected: { processes: { web: `vite ${VITE}`, server: "npm run server" } },
  },
  {
    name: "npm-run-all over scripts with a common beginning",
    files: {
      "package.json": pack(
        { dev: "run-p dev:*", "dev:client": "vite", "dev:css": "tailwindcss -i a.css --watch" },
        ["vite"],
      ),
    },
    expected: {
      processes: {
        web: `npm run dev:client -- ${VITE}`,
        css: { command: "npm run dev:css", port: false },
      },
    },
  },
  {
    name: "concurrently of one server and a compiler stays one process",
    files: {
      "package.json": pack({ dev: 'concurrently "tsc -w" "nodemon dist/a.js"' }, ["express"]),
    },
    expected: { processes: web("npm run dev") },
  },
  {
    name: "a page in a folder that is no workspace, beside the server",
    files: {
      "package.json": pack(
        {
          dev: 'concurrently "npm run server" "npm run client"',
          server: "nodemon index.js",
          client: "cd client && npm run server",
        },
        ["express"],
      ),
      "index.js": "app.listen(5000)",
    },
    expected: {
      processes: {
        web: { command: "npm run client", ownPort: null },
        server: { command: "npm run server", ownPort: 5000 },
      },
    },
  },
  {
    name: "scripts that call scripts",
    files: { "package.json": pack({ dev: "npm run dev:ui", "dev:ui": "vite" }, ["vite"]) },
    expected: { processes: web(`npm run dev -- -- ${VITE}`) },
  },
  {
    name: "a chain that ends in the app",
    files: {
      "package.json": pack({ predev: "tsc", dev: "prisma generate && next dev" }, ["next"]),
    },
    expected: { processes: web(`npm run dev -- ${NEXT}`) },
  },
  {
    name: "a script that calls itself",
    files: { "package.json": pack({ dev: "npm run dev" }) },
    problem: { code: "app_script_ends", says: "npm run dev" },
  },
  {
    name: "behind dotenv and with Windows line ends",
    files: {
      "package.json":
        '\uFEFF{\r\n  "scripts": {\r\n    "dev": "dotenv -e .env -- vite"\r\n  }\r\n}\r\n',
    },
    expected: { processes: web(`npm run dev -- ${VITE}`), setup: null },
  },
  {
    name: "broken JSON",
    files: { "package.json": '{\n  "scripts": {\n    "dev": "vite",\n  }\n}\n' },
    problem: { code: "manifest_invalid", says: "package.json:3:18" },
  },
  {
    name: "a package.json with comments",
    files: { "package.json": '{\n  // the app\n  "scripts": { "dev": "vite" }\n}\n' },
    problem: { code: "manifest_invalid", says: "JSON has no comments" },
  },
  {
    name: "a server beside the page, which nothing starts",
    files: {
      "package.json": pack({ dev: "vite", server: "node server.js" }, ["vite", "express"]),
    },
    expected: { processes: web(`npm run dev -- ${VITE}`), warnings: ["script server"] },
  },
  {
    name: "AdonisJS",
    files: { "package.json": pack({ dev: "node ace serve --hmr" }, ["@adonisjs/core"]) },
    expected: { processes: { web: { port: true, ownPort: null } } },
  },
  {
    name: "Hono, whose server names no port at all",
    files: {
      "package.json": pack({ dev: "tsx watch src/index.ts" }, ["hono", "@hono/node-server"]),
      "src/index.ts": `import { serve } from "@hono/node-server";\nserve(app);\n`,
    },
    expected: { processes: web("npm run dev", { ownPort: 3000 }) },
  },
  {
    name: "npm-run-all over a compiler, told to watch by its caller, and the server",
    files: {
      "package.json": pack(
        {
          "build:server": "esbuild server.ts --outdir=build",
          dev: "run-p dev:*",
          "dev:build": "cross-env NODE_ENV=development npm run build:server -- --watch",
          "dev:remix": "remix watch",
          "dev:server": "node build/server.js",
        },
        ["@remix-run/dev", "express"],
      ),
    },
    expected: {
      processes: {
        web: "npm run dev:remix",
        server: "npm run dev:server",
        build: { command: "npm run dev:build", port: false },
      },
      warnings: [],
    },
  },
];
