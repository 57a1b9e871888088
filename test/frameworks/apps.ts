import { ADONIS } from "./adonis-template.ts";
import { LARAVEL } from "./laravel-template.ts";
import { DJANGO, FASTAPI, FLASK, STATIC_SITE } from "./python-templates.ts";
import { RAILS } from "./rails-template.ts";
import { ASTRO, HONO, NUXT, REACT_ROUTER } from "./templates.ts";

/** An app as its framework's own tool makes it. */
export type App = {
  readonly name: string;
  readonly made:
    | { readonly by: "template"; readonly command: string }
    | { readonly by: "files"; readonly files: Readonly<Record<string, string>> }
    /** In a virtual environment of the system's Python, which has its packages; the files come after the command. */
    | {
        readonly by: "python";
        readonly command: string;
        readonly files: Readonly<Record<string, string>>;
      }
    /** By a program of the system, where that is there; the files come after the command. */
    | {
        readonly by: "program";
        readonly program: string;
        readonly command: string;
        readonly files: Readonly<Record<string, string>>;
        /** Prints the version. */
        readonly version: string;
      };
  /** Of whose version the table tells; of Python's packages, or null: of nobody's. */
  readonly package: string | null;
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
  {
    name: "angular",
    made: template(
      "@angular/cli@22.2.7 new angular --defaults --skip-git --skip-install --interactive=false --style css",
    ),
    package: "@angular/core",
    file: "src/app/app.html",
    text: "Your app is running",
    path: "/",
    reload: "hot",
  },
  {
    name: "adonis",
    made: { by: "files", files: ADONIS },
    package: "@adonisjs/core",
    file: "start/routes.ts",
    text: "Welcome to AdonisJS",
    path: "/",
    reload: "restart",
  },
  {
    name: "django",
    made: {
      by: "python",
      command: ".venv/bin/python3 -m django startproject mysite .",
      files: DJANGO,
    },
    package: "django",
    file: "mysite/urls.py",
    text: "Welcome to Django",
    path: "/",
    reload: "restart",
  },
  {
    name: "flask",
    made: { by: "python", command: "true", files: FLASK },
    package: "flask",
    file: "app.py",
    text: "Welcome to Flask",
    path: "/",
    reload: "restart",
  },
  {
    name: "fastapi",
    made: { by: "python", command: "true", files: FASTAPI },
    package: "fastapi",
    file: "app/main.py",
    text: "Welcome to FastAPI",
    path: "/",
    reload: "restart",
  },
  {
    name: "rails",
    made: {
      by: "program",
      program: "/usr/bin/rails",
      command:
        "rails new site --minimal --skip-listen --database=postgresql --skip-bundle --skip-git && mv site rails",
      files: RAILS,
      version: "rails --version | grep -o '[0-9.]*$'",
    },
    package: null,
    file: "app/controllers/home_controller.rb",
    text: "Welcome to Rails",
    path: "/",
    reload: "restart",
  },
  {
    name: "laravel",
    made: {
      by: "program",
      program: "/usr/share/php/Illuminate/autoload.php",
      command: "mkdir laravel",
      files: LARAVEL,
      version: "php artisan --version | grep -o '[0-9.]*$'",
    },
    package: null,
    file: "routes/web.php",
    text: "Welcome to Laravel",
    path: "/",
    reload: "restart",
  },
  {
    name: "static-site",
    made: { by: "files", files: STATIC_SITE },
    package: null,
    file: "index.html",
    text: "Welcome to a site",
    path: "/",
    reload: "restart",
  },
];

function template(command: string): App["made"] {
  return { by: "template", command };
}
