/** AdonisJS, whose maker keeps its starter kits elsewhere than in the registry. */

const IGNITE = `import "reflect-metadata";
import { Ignitor } from "@adonisjs/core";

const ROOT = new URL("../", import.meta.url);
const importer = (file: string) =>
  file.startsWith("./") || file.startsWith("../") ? import(new URL(file, ROOT).href) : import(file);
const ignitor = new Ignitor(ROOT, { importer }).tap((app) => {
  app.booting(async () => {
    await import("#start/env");
  });
});
`;

export const ADONIS: Readonly<Record<string, string>> = {
  ".gitignore": "node_modules/\nbuild/\ntmp/\n.env\n",
  ".env":
    "PORT=3333\nHOST=localhost\nNODE_ENV=development\nAPP_KEY=2FZkYV9vb0dXcVZTbXN3dUJtZ0pYbEh4\n",
  "package.json": `${JSON.stringify(
    {
      name: "adonis-app",
      private: true,
      type: "module",
      scripts: {
        start: "node bin/server.js",
        build: "node ace build",
        dev: "node ace serve --hmr",
      },
      imports: { "#start/*": "./start/*.js" },
      dependencies: { "@adonisjs/core": "^6.19.0", "reflect-metadata": "^0.2.2" },
      devDependencies: {
        "@adonisjs/assembler": "^7.8.2",
        "@adonisjs/tsconfig": "^1.4.1",
        "@swc/core": "^1.11.0",
        "hot-hook": "^0.4.0",
        "ts-node-maintained": "^10.9.5",
        typescript: "~5.8.0",
      },
      hotHook: { boundaries: ["./app/controllers/**/*.ts"] },
    },
    null,
    2,
  )}\n`,
  "tsconfig.json": `{ "extends": "@adonisjs/tsconfig/tsconfig.app.json", "compilerOptions": { "rootDir": "./", "outDir": "./build" } }\n`,
  "ace.js": `import "ts-node-maintained/register/esm";\n\nawait import("./bin/console.js");\n`,
  "adonisrc.ts": `import { defineConfig } from "@adonisjs/core/app";

export default defineConfig({
  commands: [() => import("@adonisjs/core/commands")],
  providers: [() => import("@adonisjs/core/providers/app_provider")],
  preloads: [() => import("#start/routes")],
});
`,
  "bin/console.ts": `${IGNITE}\nawait ignitor.ace().handle(process.argv.splice(2));\n`,
  "bin/server.ts": `${IGNITE}\nawait ignitor.httpServer().start();\n`,
  "config/app.ts": `import { Secret } from "@adonisjs/core/helpers";
import { defineConfig } from "@adonisjs/core/http";

import env from "#start/env";

export const appKey = new Secret(env.get("APP_KEY"));
export const http = defineConfig({ generateRequestId: true, allowMethodSpoofing: false, cookie: {} });
`,
  "config/logger.ts": `import { defineConfig } from "@adonisjs/core/logger";

export default defineConfig({ default: "app", loggers: { app: { enabled: true, name: "adonis-app" } } });
`,
  "start/env.ts": `import { Env } from "@adonisjs/core/env";

export default await Env.create(new URL("../", import.meta.url), {
  NODE_ENV: Env.schema.enum(["development", "production", "test"] as const),
  PORT: Env.schema.number(),
  HOST: Env.schema.string({ format: "host" }),
  APP_KEY: Env.schema.string(),
});
`,
  "start/routes.ts": `import router from "@adonisjs/core/services/router";

router.get("/", async () => "Welcome to AdonisJS");
`,
};
