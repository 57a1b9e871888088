/** Apps whose templates lie outside the registry, written as close to these as their files for one page can be. */

type Files = Readonly<Record<string, string>>;

export const REACT_ROUTER: Files = {
  ".gitignore": ".DS_Store\n.env\n/node_modules/\n\n# React Router\n/.react-router/\n/build/\n",
  "package.json": format({
    name: "react-router-app",
    private: true,
    type: "module",
    scripts: {
      build: "react-router build",
      dev: "react-router dev",
      start: "react-router-serve ./build/server/index.js",
      typecheck: "react-router typegen && tsc",
    },
    dependencies: {
      "@react-router/node": "8.4.0",
      "@react-router/serve": "8.4.0",
      isbot: "^5.2.3",
      react: "^19.3.1",
      "react-dom": "^19.3.1",
      "react-router": "8.4.0",
    },
    devDependencies: {
      "@react-router/dev": "8.4.0",
      "@types/react": "^19.3.0",
      "@types/react-dom": "^19.3.0",
      typescript: "^6.0.3",
      vite: "^8.3.4",
    },
  }),
  "vite.config.ts": `import { reactRouter } from "@react-router/dev/vite";
import { defineConfig } from "vite";

export default defineConfig({ plugins: [reactRouter()] });
`,
  "react-router.config.ts": `import type { Config } from "@react-router/dev/config";

export default { ssr: true } satisfies Config;
`,
  "app/routes.ts": `import { type RouteConfig, index } from "@react-router/dev/routes";

export default [index("routes/home.tsx")] satisfies RouteConfig;
`,
  "app/root.tsx": `import { Links, Meta, Outlet, Scripts, ScrollRestoration } from "react-router";

export function Layout({ children }: { children: React.ReactNode }) {
  return (
    <html lang="en">
      <head>
        <Meta />
        <Links />
      </head>
      <body>
        {children}
        <ScrollRestoration />
        <Scripts />
      </body>
    </html>
  );
}

export default function App() {
  return <Outlet />;
}
`,
  "app/routes/home.tsx": `export default function Home() {
  return <h1>Welcome home</h1>;
}
`,
};

export const NUXT: Files = {
  ".gitignore":
    ".output\n.data\n.nuxt\n.nitro\n.cache\ndist\nnode_modules\nlogs\n*.log\n.env\n.env.*\n",
  "package.json": format({
    name: "nuxt-app",
    type: "module",
    private: true,
    scripts: {
      build: "nuxt build",
      dev: "nuxt dev",
      generate: "nuxt generate",
      preview: "nuxt preview",
      postinstall: "nuxt prepare",
    },
    dependencies: { nuxt: "^4.5.2", vue: "^3.5.40", "vue-router": "^5.2.0" },
  }),
  "nuxt.config.ts": `export default defineNuxtConfig({
  compatibilityDate: "2025-07-15",
  devtools: { enabled: true },
});
`,
  "tsconfig.json": format({ files: [], references: [{ path: "./.nuxt/tsconfig.app.json" }] }),
  "app/app.vue": `<template>
  <div>
    <NuxtRouteAnnouncer />
    <h1>Welcome to Nuxt</h1>
  </div>
</template>
`,
};

export const ASTRO: Files = {
  ".gitignore": "dist/\n.astro/\nnode_modules/\nnpm-debug.log*\n.env\n.env.production\n.DS_Store\n",
  "package.json": format({
    name: "astro-app",
    type: "module",
    version: "0.0.1",
    private: true,
    scripts: {
      dev: "astro dev",
      build: "astro build",
      preview: "astro preview",
      astro: "astro",
    },
    dependencies: { astro: "^7.3.5" },
  }),
  "astro.config.mjs": `// @ts-check
import { defineConfig } from "astro/config";

export default defineConfig({});
`,
  "tsconfig.json": format({ extends: "astro/tsconfigs/strict", exclude: ["dist"] }),
  "src/pages/index.astro": `---
---

<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Astro</title>
  </head>
  <body>
    <h1>Welcome to Astro</h1>
  </body>
</html>
`,
};

export const HONO: Files = {
  ".gitignore": "dist/\nnode_modules/\n.env\n.env.production\nlogs/\n*.log\n",
  "package.json": format({
    name: "hono-app",
    type: "module",
    private: true,
    scripts: { dev: "tsx watch src/index.ts", build: "tsc", start: "node dist/index.js" },
    dependencies: { "@hono/node-server": "^2.1.9", hono: "^4.13.19" },
    devDependencies: { "@types/node": "^24.0.0", tsx: "^4.23.15", typescript: "^6.0.3" },
  }),
  "tsconfig.json": format({
    compilerOptions: {
      target: "ESNext",
      module: "NodeNext",
      strict: true,
      types: ["node"],
      outDir: "./dist",
    },
    exclude: ["node_modules"],
  }),
  "src/index.ts": `import { serve } from "@hono/node-server";
import { Hono } from "hono";

const app = new Hono();

app.get("/", (context) => context.text("Hello Hono!"));

serve({ fetch: app.fetch, port: 3000 }, (address) => {
  console.log(\`Server is running on http://localhost:\${address.port}\`);
});
`,
};

function format(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
