import type { PackageFile } from "../../reading/package-file.ts";
import type { Invocation } from "./invocation.ts";
import { hasPackage } from "./sources.ts";

/** `page`: what a person opens. `server`: it answers programs. `worker`: it listens nowhere. */
export type Role = "page" | "server" | "worker";

export type Framework = { readonly name: string; readonly role: Role };

type Rule = {
  readonly name: string;
  readonly role: Role;
  readonly programs?: readonly string[];
  /** One of them is in package.json. */
  readonly packages?: readonly string[];
  /** The tool's first word, where it matters. */
  readonly first?: RegExp;
};

/** Programs that run a file of the app's own. */
const RUNNERS = new Set(
  (
    "node nodemon tsx ts-node ts-node-dev tsnd ts-node-esm bun deno " +
    "babel-node swc-node vite-node esrun esno jiti node-dev supervisor"
  ).split(" "),
);

/** The first that fits is meant: what builds upon another stands before it. */
const TOOLS: readonly Rule[] = [
  { name: "Next.js", role: "page", programs: ["next"] },
  { name: "Nuxt", role: "page", programs: ["nuxt", "nuxi"] },
  { name: "Astro", role: "page", programs: ["astro"] },
  { name: "Angular", role: "page", programs: ["ng"] },
  { name: "React Router", role: "page", programs: ["react-router", "react-router-serve"] },
  { name: "Remix", role: "page", programs: ["remix", "remix-serve"] },
  { name: "Gatsby", role: "page", programs: ["gatsby"] },
  { name: "Vue CLI", role: "page", programs: ["vue-cli-service"] },
  { name: "Create React App", role: "page", programs: ["react-scripts", "craco"] },
  { name: "SvelteKit", role: "page", programs: ["vite"], packages: ["@sveltejs/kit"] },
  { name: "React Router", role: "page", programs: ["vite"], packages: ["@react-router/dev"] },
  { name: "Remix", role: "page", programs: ["vite"], packages: ["@remix-run/dev"] },
  {
    name: "TanStack Start",
    role: "page",
    programs: ["vite", "vinxi"],
    packages: ["@tanstack/react-start", "@tanstack/solid-start", "@tanstack/start"],
  },
  { name: "SolidStart", role: "page", programs: ["vinxi", "vite"], packages: ["@solidjs/start"] },
  { name: "Vite", role: "page", programs: ["vite"] },
  { name: "Vinxi", role: "page", programs: ["vinxi"] },
  {
    name: "webpack",
    role: "page",
    programs: ["webpack", "webpack-dev-server", "rsbuild", "rspack"],
  },
  { name: "Docusaurus", role: "page", programs: ["docusaurus"] },
  { name: "VitePress", role: "page", programs: ["vitepress"] },
  { name: "Parcel", role: "page", programs: ["parcel"] },
  { name: "a static site", role: "page", programs: ["serve", "http-server", "live-server"] },
  { name: "Eleventy", role: "page", programs: ["eleventy"], first: /^--serve/ },
  { name: "NestJS", role: "server", programs: ["nest"] },
  { name: "Fastify", role: "server", programs: ["fastify"] },
  { name: "Cloudflare Workers", role: "server", programs: ["wrangler"], first: /^(?:dev|pages)$/ },
  { name: "JSON Server", role: "server", programs: ["json-server"] },
  { name: "Strapi", role: "server", programs: ["strapi"] },
  { name: "Directus", role: "server", programs: ["directus"] },
  { name: "Medusa", role: "server", programs: ["medusa"] },
  { name: "Keystone", role: "server", programs: ["keystone"] },
  {
    name: "AdonisJS",
    role: "server",
    programs: ["node", "ace"],
    first: /^(?:ace(?:\.js)?|serve)$/,
  },
];

const SERVERS: readonly Rule[] = [
  { name: "Next.js", role: "page", packages: ["next"] },
  { name: "NestJS", role: "server", packages: ["@nestjs/core"] },
  { name: "AdonisJS", role: "server", packages: ["@adonisjs/core"] },
  { name: "Fastify", role: "server", packages: ["fastify"] },
  { name: "Hono", role: "server", packages: ["hono"] },
  { name: "Elysia", role: "server", packages: ["elysia"] },
  { name: "Koa", role: "server", packages: ["koa"] },
  { name: "hapi", role: "server", packages: ["@hapi/hapi"] },
  { name: "Apollo Server", role: "server", packages: ["@apollo/server", "apollo-server"] },
  { name: "Express", role: "server", packages: ["express"] },
  { name: "Polka", role: "server", packages: ["polka"] },
  { name: "h3", role: "server", packages: ["h3"] },
  { name: "Socket.IO", role: "server", packages: ["socket.io"] },
  { name: "ws", role: "server", packages: ["ws"] },
];

/** undefined: nothing that is known to answer requests. */
export function findFramework(invocation: Invocation, file: PackageFile): Framework | undefined {
  const tool = TOOLS.find((rule) => isMeant(rule, invocation, file));
  if (tool !== undefined) return { name: tool.name, role: tool.role };
  return isRunner(invocation) ? findServer(file) : undefined;
}

/** The framework of a server that is started as a plain program. */
export function findServer(file: PackageFile): Framework | undefined {
  const server = SERVERS.find(({ packages = [] }) => hasPackage({ file }, ...packages));
  return server === undefined ? undefined : { name: server.name, role: server.role };
}

export function isRunner({ program }: Invocation): boolean {
  return RUNNERS.has(program);
}

function isMeant(rule: Rule, { program, args }: Invocation, file: PackageFile): boolean {
  if (rule.programs?.includes(program) !== true) return false;
  if (rule.packages !== undefined && !hasPackage({ file }, ...rule.packages)) return false;
  return rule.first === undefined || args.some((argument) => rule.first?.test(argument) === true);
}
