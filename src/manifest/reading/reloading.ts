import type { PackageFile } from "./package-file.ts";

/** Tools that see edits by themselves, each as it is called when it does. */
const RELOADING: readonly RegExp[] = [
  /(?<![\w-])vite(?![\w.-])(?!\s+(?:build|preview|optimize)\b)/,
  /\b(?:next|astro|react-router|nuxi?|nuxt|svelte-kit|remix|wrangler|gatsby|strapi|medusa|storybook|vitepress|vinxi|rsbuild)\s+dev(?:elop)?\b/,
  /(?<![\w-])(?:next|nuxt|parcel)(?=\s*(?:$|["'&;|]|-))/,
  /(?<![\w-])parcel\s+(?!build|help)\S/,
  /\bdocusaurus\s+start\b/,
  /\bstart-storybook\b/,
  /\bfastify\s+start\b.*\s-w\b/,
  /(?<![\w-])astro(?=\s*(?:$|["'&;|-]))/,
  /\bremix\s+vite:dev\b/,
  /\b(?:ng|webpack|rspack|vue-cli-service)\s+serve\b/,
  /\bwebpack-dev-server\b/,
  /\bnodemon\b/,
  /\bts-node-dev\b/,
  /\breact-scripts\s+start\b/,
  /\btsx\s+watch\b/,
  /\s--watch(?![\w-]*=false)/,
  /\s--(?:hot|hmr)\b/,
  /\bmanage\.py\s+runserver\b(?!.*--noreload)/,
  /\brails\s+(?:s|server)\b/,
  /\bflask\b.*\s--debug\b/,
  /\b(?:uvicorn|gunicorn|hypercorn|fastapi)\b.*\s--reload\b/,
  /\bfastapi\s+dev\b/,
  /\bhttp\.server\b/,
  /\bartisan\s+serve\b/,
  /\bmix\s+phx\.server\b/,
  /\bwatchexec\b/,
];

const RUNS_SCRIPT =
  /\b(?:(?:npm|pnpm|yarn|bun)\s+run(?:-script)?\s+(?:-\S+\s+)*|(?:pnpm|yarn|bun)\s+|npm\s+(?=start\b))([\w:.-]+)/g;
/** Scripts that call scripts; one that calls itself ends here too. */
const MAX_SCRIPTS = 20;

/** Whether what this command starts watches its files. `packageFile` is that of the folder it runs in. */
export function isReloading(command: string, packageFile: PackageFile | undefined): boolean {
  const texts = [command];
  for (const text of texts) {
    if (RELOADING.some((pattern) => pattern.test(text))) return true;
    const called = scriptsIn(text, packageFile).filter((script) => !texts.includes(script));
    texts.push(...called.slice(0, MAX_SCRIPTS - texts.length));
  }
  return false;
}

function scriptsIn(text: string, packageFile: PackageFile | undefined): readonly string[] {
  const scripts = new Map(Object.entries(packageFile?.scripts ?? {}));
  return [...text.matchAll(RUNS_SCRIPT)].flatMap(([, name = ""]) => scripts.get(name) ?? []);
}
