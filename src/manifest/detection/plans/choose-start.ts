import { executeWith } from "../../reading/package-manager.ts";
import { appHasNoCommand, scriptAmbiguous, scriptEnds } from "../../reading/problems.ts";
import { isEnding, isWatcher } from "../signs/ending.ts";
import { findFile } from "../signs/entry-file.ts";
import { findFramework, findServer, isRunner } from "../signs/framework.ts";
import { isListening } from "../signs/own-port.ts";
import { type Leaf, listLeaves } from "../signs/script-leaves.ts";
import { hasPackage, nameOf, type Sources } from "../signs/sources.ts";
import type { Start } from "./plan-processes.ts";

/** What of a package starts it: some of its scripts, side by side, or a file without any. */
export type Choice =
  | { readonly kind: "scripts"; readonly names: readonly string[] }
  | { readonly kind: "entry"; readonly file: string; readonly command: string };

/** The usual names, the likeliest first. */
const USUAL = ["dev", "start:dev", "develop", "start", "serve"];
const UNUSUAL =
  /(?:^|[:-])(?:build|test|preview|prod|production|lint|debug|docker|storybook|e2e|inspect)(?:$|[:-])|^(?:pre|post)/;
const MAX_CHOICES = 8;

const ENTRIES = [
  "server",
  "src/server",
  "index",
  "app",
  "main",
  "src/index",
  "src/main",
  "src/app",
];

/** @throws `detection_ambiguous`, `app_script_ends`, `app_no_command` */
export async function chooseStart(start: Start, answer: string | undefined): Promise<Choice> {
  const { sources } = start;
  const names = chooseScripts(sources, answer);
  if (names !== undefined) return { kind: "scripts", names };
  const entry = await findEntry(start);
  if (entry !== undefined) return entry;
  throw describeAbsence(sources);
}

/** The same of a package of several, which need not be an app. */
export function findUsualScript({ file }: Sources): string | undefined {
  const scripts = file.scripts ?? {};
  return USUAL.find((name) => isRunning(listOf(name, scripts)));
}

/** Whether the scripts of this package itself start it, rather than other packages. */
export function isOwnApp(sources: Sources): boolean {
  const name = findUsualScript(sources);
  if (name === undefined) return false;
  const leaves = listOf(name, sources.file.scripts ?? {});
  return leaves.every((leaf) => isOwn(leaf, sources));
}

function isOwn({ invocation }: Leaf, sources: Sources): boolean {
  if (findFramework(invocation, sources.file) !== undefined) return true;
  if (!isRunner(invocation)) return false;
  return !invocation.args.some((word) => /(?:^|\/)(?:scripts|tools|bin)\//.test(word));
}

function chooseScripts(
  sources: Sources,
  answer: string | undefined,
): readonly string[] | undefined {
  const usual = findUsualScript(sources);
  if (usual !== undefined) return [usual];
  const scripts = sources.file.scripts ?? {};
  const names = Object.keys(scripts)
    .filter((name) => !USUAL.includes(name) && !UNUSUAL.test(name))
    .filter((name) => isApp(listOf(name, scripts), sources))
    .slice(0, MAX_CHOICES);
  if (names.length === 0) return undefined;
  if (names.length === 1 || isPair(names, sources)) return names;
  if (answer !== undefined && names.includes(answer)) return [answer];
  throw scriptAmbiguous(nameOf(sources, "package.json"), names);
}

function listOf(name: string, scripts: Readonly<Record<string, string>>): readonly Leaf[] {
  return listLeaves(scripts[name] ?? "", scripts);
}

function isRunning(leaves: readonly Leaf[]): boolean {
  return leaves.some(({ invocation }) => !isEnding(invocation) && !isWatcher(invocation));
}

function isApp(leaves: readonly Leaf[], { file }: Sources): boolean {
  return isRunning(leaves) && leaves.some(({ invocation }) => findFramework(invocation, file));
}

/** A page and a server: one does not stand in for the other. */
function isPair(names: readonly string[], { file }: Sources): boolean {
  const scripts = file.scripts ?? {};
  const roles = names.map((name) => {
    const [leaf] = listOf(name, scripts);
    return leaf === undefined ? undefined : findFramework(leaf.invocation, file)?.role;
  });
  return names.length === 2 && roles.includes("page") && roles.includes("server");
}

async function findEntry({ sources, manager, readCode }: Start): Promise<Choice | undefined> {
  const { main } = sources.file;
  const names = [...(main === undefined ? [] : [main]), ...ENTRIES];
  const files = names.flatMap((name) => findFile(name, sources) ?? []);
  for (const file of new Set(files)) {
    const isServer = isListening(await readCode(sources.folder, file));
    const isNamed = /(?:^|\/)server\.\w+$/.test(file) && findServer(sources.file) !== undefined;
    const run = runnerOf(file, sources);
    if ((!isServer && !isNamed) || run === undefined) continue;
    const command = run === "node" ? `node ${file}` : executeWith(manager, `${run} ${file}`);
    return { kind: "entry", file, command: run === "bun" ? `bun ${file}` : command };
  }
  return undefined;
}

/** undefined: TypeScript, and nothing in package.json runs that. */
function runnerOf(file: string, sources: Sources): string | undefined {
  if (!/\.[cm]?tsx?$/.test(file)) return "node";
  if (sources.paths.has("bun.lock") || sources.paths.has("bun.lockb")) return "bun";
  return ["tsx", "ts-node", "vite-node"].find((name) => hasPackage(sources, name));
}

function describeAbsence(sources: Sources): Error {
  const where = nameOf(sources, "package.json");
  const scripts = sources.file.scripts ?? {};
  const ended = USUAL.find((name) => (scripts[name] ?? "").trim() !== "");
  if (ended === undefined) return appHasNoCommand(where);
  return scriptEnds(where, ended, scripts[ended] ?? "");
}
