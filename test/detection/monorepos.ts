import { type Miniature, NEXT, pack, VITE } from "./miniature.ts";

const LIBRARY = { name: "@m/ui", main: "dist/index.js", scripts: { build: "tsc", dev: "tsc -w" } };
const API = pack({ dev: "tsx watch src/main.ts" }, ["fastify"]);
const API_CODE = "await app.listen({ port: Number(process.env.PORT) });";

/** Repositories of several packages. */
export const MONOREPOS: readonly Miniature[] = [
  {
    name: "npm workspaces run by turbo, with a built library and a database package",
    files: {
      "package.json": pack({ dev: "turbo run dev" }, [], { workspaces: ["apps/*", "packages/*"] }),
      "package-lock.json": "{}",
      "turbo.json": {},
      "apps/shop/package.json": { ...pack({ dev: "next dev --port 3000" }, ["next", "@m/ui"]) },
      "apps/api/package.json": API,
      "apps/api/src/main.ts": API_CODE,
      "packages/ui/package.json": LIBRARY,
      "packages/db/package.json": pack(
        { "db:migrate": "prisma migrate deploy", seed: "tsx s.ts" },
        ["prisma", "pg"],
      ),
    },
    expected: {
      processes: {
        web: { command: `npm run dev -- ${NEXT}`, folder: "apps/shop" },
        api: { command: "npm run dev", folder: "apps/api", ownPort: null },
      },
      setup: "npm ci && (cd packages/ui && npm run build)",
      database: {
        migrate: "cd packages/db && npm run db:migrate",
        seed: "cd packages/db && npm run seed",
        mask: null,
      },
      clone: ["node_modules", "packages/ui/dist"],
    },
  },
  {
    name: "pnpm's workspaces, the page named web before the site of the documents",
    files: {
      "package.json": pack({ dev: "pnpm -r --parallel dev" }),
      "pnpm-lock.yaml": "",
      "pnpm-workspace.yaml":
        "packages:\n  # the apps\n  - 'apps/*'\n  - \"!apps/old\"\n\ncatalog:\n  - x\n",
      "apps/docs/package.json": pack({ dev: "astro dev" }, ["astro"]),
      "apps/web/package.json": pack({ dev: "vite" }, ["vite"]),
      "apps/old/package.json": pack({ dev: "vite" }, ["vite"]),
    },
    expected: {
      processes: {
        web: { command: `pnpm run dev ${VITE}`, folder: "apps/web" },
        docs: { command: "pnpm run dev --port $PORT --host $HOST", folder: "apps/docs" },
      },
      setup: "pnpm install --frozen-lockfile",
    },
  },
  {
    name: "Yarn's workspaces as an object, started by concurrently",
    files: {
      "package.json": pack(
        { dev: 'concurrently "yarn workspace server dev" "yarn workspace client dev"' },
        [],
        { workspaces: { packages: ["client", "server"] } },
      ),
      "yarn.lock": "",
      "client/package.json": pack({ dev: "vite" }, ["vite"]),
      "server/package.json": pack({ dev: "nodemon index.js" }, ["express"]),
      "server/index.js": "app.listen(4000)",
    },
    expected: {
      processes: {
        web: { command: `yarn run dev ${VITE}`, folder: "client" },
        server: { command: "yarn run dev", folder: "server", ownPort: 4000 },
      },
    },
  },
  {
    name: "a worker among the apps",
    files: {
      "package.json": { workspaces: ["apps/**"] },
      "apps/web/package.json": pack({ dev: "vite" }, ["vite"]),
      "apps/group/worker/package.json": pack({ dev: "tsx watch worker.ts" }, ["bullmq"]),
      "apps/group/worker/worker.ts": "new Worker()",
    },
    expected: {
      processes: {
        web: { folder: "apps/web", port: true },
        worker: { folder: "apps/group/worker", port: false },
      },
    },
  },
  {
    name: "the root itself is the app, its packages are not",
    files: {
      "package.json": pack({ dev: "vite" }, ["vite"], { workspaces: ["packages/*"] }),
      "packages/playground/package.json": pack({ dev: "vite" }, ["vite"]),
    },
    expected: { processes: { web: { command: `npm run dev -- ${VITE}`, folder: "." } } },
  },
  {
    name: "Nx whose packages have scripts",
    files: {
      "package.json": pack({ start: "nx run-many -t dev" }, ["nx"], { workspaces: ["apps/*"] }),
      "nx.json": {},
      "apps/portal/package.json": pack({ dev: "next dev" }, ["next"]),
    },
    expected: { processes: { web: { command: `npm run dev -- ${NEXT}`, folder: "apps/portal" } } },
  },
  {
    name: "nothing but libraries",
    files: {
      "package.json": { name: "mini", workspaces: ["packages/*"] },
      "packages/ui/package.json": LIBRARY,
    },
    problem: { code: "app_no_command", says: "package.json has no script" },
  },
  {
    name: "broken JSON in one of the packages",
    files: {
      "package.json": { workspaces: ["apps/*"] },
      "apps/web/package.json": '{ "scripts": ',
    },
    problem: { code: "manifest_invalid", says: "apps/web/package.json:1:" },
  },
  {
    name: "more apps than there can be processes",
    files: {
      "package.json": { workspaces: ["apps/*"] },
      ...Object.fromEntries(
        Array.from({ length: 20 }, (_, index) => [
          `apps/a${index + 10}/package.json`,
          pack({ dev: "vite" }, ["vite"]),
        ]),
      ),
    },
    expected: { warnings: ["a26, a27, a28, a29"] },
  },
  {
    name: "an app behind a script that hands on its words, as create-t3-turbo makes it",
    files: {
      "package.json": pack({ dev: "turbo dev" }, [], { packageManager: "pnpm@9.0.0" }),
      "pnpm-workspace.yaml": "packages:\n  - apps/*\n",
      "apps/nextjs/package.json": pack(
        { dev: "pnpm with-env next dev", "with-env": "dotenv -e ../../.env --" },
        ["next"],
      ),
    },
    expected: {
      processes: { web: { command: `pnpm run dev ${NEXT}`, folder: "apps/nextjs" } },
    },
  },
  {
    name: "a library and the site of its documents",
    files: {
      "package.json": {
        workspaces: ["packages/*", "website"],
        scripts: { start: "npm start -w website" },
      },
      "packages/core/package.json": pack({ dev: "tsup --watch" }),
      "website/package.json": pack({ start: "docusaurus start" }, ["@docusaurus/core"]),
    },
    expected: {
      processes: {
        web: {
          command: "npm run start -- --port $PORT --no-open --host $HOST",
          folder: "website",
        },
      },
    },
  },
];
