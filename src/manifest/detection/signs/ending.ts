import type { Invocation } from "./invocation.ts";

/** Programs that do a thing and end, whatever they are told. */
const END = new Set(
  (
    "echo true false exit : printf cat ls rm rimraf cp cpx " +
    "mkdir mv touch cd open open-cli shx del-cli eslint prettier " +
    "biome oxlint oxfmt stylelint standard xo mocha ava tap jasmine " +
    "playwright knex typeorm node-pg-migrate husky lint-staged patch-package " +
    "changeset np release-it npm-check-updates tsd publint size-limit git " +
    "docker docker-compose"
  ).split(" "),
);

/** Programs that end unless they are told to watch. */
const BUILD = new Set(
  (
    "tsc vue-tsc tspc ngc tsup tsdown unbuild rollup rolldown esbuild " +
    "swc babel sass postcss tailwindcss tailwind webpack rspack rsbuild " +
    "microbundle pkgroll parcel jest vitest cypress eleventy svelte-package " +
    "graphql-codegen tsc-alias chokidar onchange"
  ).split(" "),
);
const WATCHES = /^(?:-w|-W|--watch(?:=.*)?|watch|--watchAll|--serve(?:=.*)?|serve|dev|--ui)$/;
const SERVE = /^(?:serve|dev|--serve(?:=.*)?|--servedir=.*)$/;
const ALWAYS_WATCH = new Set(["vitest", "chokidar", "onchange"]);

/** What of a tool that also serves does not serve. */
const STEPS =
  /^(?:build|generate|lint|check|sync|prepare|typegen|test|export|info|optimize|add|init|help|upgrade|analyze|typecheck|eject|migrate|db|push|pull|deploy)$/;
const SERVES = new Set(
  (
    "next nuxt nuxi astro ng nest react-router remix gatsby vite " +
    "react-scripts vue-cli-service vinxi craco strapi medusa wrangler " +
    "prisma drizzle-kit svelte-kit parcel"
  ).split(" "),
);
const NODE_ENDS = /^(?:-e|--eval|-p|--print|-v|--version|--check|-c|--test|--help)$/;

/** Whether it ends by itself, so that nothing would run. */
export function isEnding(invocation: Invocation): boolean {
  const { program, args } = invocation;
  if (program === "" || END.has(program)) return true;
  if (isWatcher(invocation)) return false;
  if (SERVES.has(program)) return STEPS.test(args.find((word) => !word.startsWith("-")) ?? "");
  if (program === "node") return NODE_ENDS.test(args[0] ?? "");
  if (BUILD.has(program)) return !args.some((word) => SERVE.test(word));
  return isInstall(invocation);
}

/** Whether it runs on, building or testing, and answers nobody. */
export function isWatcher({ program, args }: Invocation): boolean {
  if (!BUILD.has(program)) return false;
  if (args.some((word) => word === "build" || word === "run")) return args.includes("--watch");
  const serves = ["webpack", "rspack", "rsbuild", "parcel", "eleventy"].includes(program);
  if (serves) return args.some((word) => /^(?:-w|--watch|watch)$/.test(word));
  return ALWAYS_WATCH.has(program) || args.some((word) => WATCHES.test(word));
}

function isInstall({ program, args: [first = ""] }: Invocation): boolean {
  if (!["npm", "pnpm", "yarn", "bun"].includes(program)) return false;
  return /^(?:install|i|ci|test|t|publish|pack|version|audit|link)$/.test(first);
}
