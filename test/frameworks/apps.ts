import { ASTRO, HONO, NUXT, REACT_ROUTER } from "./templates.ts";

/** An app as its framework's own tool makes it. */
export type App = {
  readonly name: string;
  readonly made:
    | { readonly by: "template"; readonly command: string }
    | { readonly by: "files"; readonly files: Readonly<Record<string, string>> };
  /** Of whose version the table tells. */
  readonly package: string;
  /** The text of its page that is edited, and where that stands. */
  readonly file: string;
  readonly text: string;
  readonly path: string;
  /** `hot`: an open page changes by itself; `restart`: the next answer is new. */
  readonly reload: "hot" | "restart";
};

export const APPS: readonly App[] = [
  {
    name: "vite",
    made: template("create-vite@9.3.0 vite --template react-ts --no-interactive"),
    package: "vite",
    file: "src/App.tsx",
    text: "Get started",
    path: "/",
    reload: "hot",
  },
  {
    name: "next",
    made: template(
      "create-next-app@16.4.3 next --ts --app --no-eslint --no-tailwind --no-src-dir --skip-install --disable-git --yes --use-npm",
    ),
    package: "next",
    file: "app/page.tsx",
    text: "To get started",
    path: "/",
    reload: "hot",
  },
  {
    name: "react-router",
    made: { by: "files", files: REACT_ROUTER },
    package: "@react-router/dev",
    file: "app/routes/home.tsx",
    text: "Welcome home",
    path: "/",
    reload: "hot",
  },
  {
    name: "sveltekit",
    made: template(
      "sv@0.17.1 create sveltekit --template minimal --types ts --no-add-ons --no-install",
    ),
    package: "@sveltejs/kit",
    file: "src/routes/+page.svelte",
    text: "Welcome to SvelteKit",
    path: "/",
    reload: "hot",
  },
  {
    name: "nuxt",
    made: { by: "files", files: NUXT },
    package: "nuxt",
    file: "app/app.vue",
    text: "Welcome to Nuxt",
    path: "/",
    reload: "hot",
  },
  {
    name: "astro",
    made: { by: "files", files: ASTRO },
    package: "astro",
    file: "src/pages/index.astro",
    text: "Welcome to Astro",
    path: "/",
    reload: "hot",
  },
  {
    name: "express",
    made: template("express-generator@4.16.1 --no-view express"),
    package: "express",
    file: "routes/users.js",
    text: "respond with a resource",
    path: "/users",
    reload: "restart",
  },
  {
    name: "fastify",
    made: template("fastify-cli@8.0.2 generate fastify"),
    package: "fastify",
    file: "routes/example/index.js",
    text: "this is an example",
    path: "/example",
    reload: "restart",
  },
  {
    name: "hono",
    made: { by: "files", files: HONO },
    package: "hono",
    file: "src/index.ts",
    text: "Hello Hono!",
    path: "/",
    reload: "restart",
  },
  {
    name: "nest",
    made: template(
      "@nestjs/cli@12.0.8 new nest --skip-git --skip-install --package-manager npm --strict",
    ),
    package: "@nestjs/core",
    file: "src/app.service.ts",
    text: "Hello World!",
    path: "/",
    reload: "restart",
  },
];

function template(command: string): App["made"] {
  return { by: "template", command };
}
