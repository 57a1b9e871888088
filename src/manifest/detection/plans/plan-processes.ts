import type { Finding, ProcessManifest } from "../../../environment/manifest.ts";
import { executeWith, type ManagerName, runScriptWith } from "../../reading/package-manager.ts";
import { DEFAULT_READY } from "../../reading/ramet-file.ts";
import { isReloading } from "../../reading/reloading.ts";
import { findPortFlags, findScriptPort } from "../../reading/script-tool.ts";
import { isEnding, isWatcher } from "../signs/ending.ts";
import { findEntryFile } from "../signs/entry-file.ts";
import { findFramework, isRunner, type Role } from "../signs/framework.ts";
import { found, type Outcome } from "../signs/outcome.ts";
import { findOwnPort, isListening } from "../signs/own-port.ts";
import { type Leaf, listLeaves } from "../signs/script-leaves.ts";
import { nameOf, type Sources } from "../signs/sources.ts";

/** One process before it has its name. */
export type Planned = {
  /** What it would like to be called; null: nothing speaks for a name. */
  readonly label: string | null;
  readonly role: Role;
  /** Whether anything but its place says that it answers requests. */
  readonly isSure: boolean;
  readonly process: ProcessManifest;
  readonly findings: readonly Finding[];
};

/** Reads a program's first file and what it imports; empty when it cannot be read. */
export type ReadCode = (folder: string, entry: string) => Promise<readonly string[]>;

export type Start = {
  readonly sources: Sources;
  readonly manager: ManagerName;
  readonly readCode: ReadCode;
};

/** What a script starts: one process, or one for each part that can be started by itself. */
export async function planScript(start: Start, name: string): Promise<readonly Planned[]> {
  const scripts = start.sources.file.scripts ?? {};
  const script = scripts[name] ?? "";
  const all = listLeaves(script, scripts);
  const leaves = all.filter(({ invocation }) => !isEnding(invocation));
  const parts = await planParts(start, leaves);
  const answering = parts.filter(({ process }) => process.port);
  if (leaves.length > 1 && (answering.length > 1 || hasFlags(leaves))) return parts;
  const flags = all.length > 1 ? null : (findPortFlags(script, scripts) ?? findForwarded(all));
  const command = runScriptWith(start.manager, name, flags);
  const leaf = leaves[answering[0] === undefined ? 0 : parts.indexOf(answering[0])];
  if (leaf === undefined) return [planUnknown(start, command)];
  return [
    { ...(await planLeaf(start, leaf, { command, flags, key: `scripts.${name}` })), label: null },
  ];
}

/** What is appended to the script reaches a program that it hands to another script. */
function findForwarded([leaf]: readonly Leaf[]): string | null {
  if (leaf?.isForwarded !== true || leaf.calls.length > 0) return null;
  return findPortFlags(leaf.text);
}

function planParts(start: Start, leaves: readonly Leaf[]): Promise<readonly Planned[]> {
  return Promise.all(leaves.map((leaf) => planLeaf(start, leaf, partOf(start, leaf))));
}

/** A file that is started without any script. */
export async function planEntry(start: Start, command: string): Promise<Planned> {
  const [leaf] = listLeaves(command, {});
  if (leaf === undefined) return planUnknown(start, command);
  return planLeaf(start, leaf, { command, flags: null, key: null });
}

type Part = {
  readonly command: string;
  readonly flags: string | null;
  readonly key: string | null;
};

function hasFlags(leaves: readonly Leaf[]): boolean {
  return leaves.some(({ text }) => findPortFlags(text) !== null);
}

/** By the script that is called for it alone, else as it is written. */
function partOf({ manager, sources }: Start, leaf: Leaf): Part {
  const flags = findPortFlags(leaf.text);
  const own = leaf.calls.at(-1);
  if (own !== undefined && isOwnScript(leaf))
    return { command: runScriptWith(manager, own.name, flags), flags, key: `scripts.${own.name}` };
  const command = flags === null ? leaf.text : `${leaf.text} ${flags}`;
  if (sources.folder === ".") return { command, flags, key: "scripts" };
  return { command: executeWith(manager, command), flags, key: "scripts" };
}

function isOwnScript({ script, text, isForwarded }: Leaf): boolean {
  return isForwarded || script.trim().endsWith(text);
}

async function planLeaf(start: Start, leaf: Leaf, part: Part): Promise<Planned> {
  const { sources } = start;
  const framework = findFramework(leaf.invocation, sources.file);
  const file = findCodeFile(leaf, sources);
  const code = file === undefined ? [] : await start.readCode(sources.folder, file);
  const role = framework?.role ?? roleOf(leaf, code);
  const takesPort = part.flags !== null || role === "worker";
  const own = takesPort ? undefined : findPort(leaf, code);
  return {
    label: labelOf(leaf, role),
    role,
    isSure: framework !== undefined || isListening(code),
    process: describe(start, { command: part.command, role, own }),
    findings: explain({ sources, key: part.key }, { name: framework?.name, own, file }),
  };
}

function findCodeFile({ invocation }: Leaf, sources: Sources): string | undefined {
  const hasFile = isRunner(invocation) || invocation.program === "nest";
  return hasFile ? findEntryFile(invocation, sources) : undefined;
}

function roleOf(leaf: Leaf, code: readonly string[]): Role {
  return isWatcher(leaf.invocation) || isQuiet(leaf, code) ? "worker" : "server";
}

type Described = {
  readonly command: string;
  readonly role: Role;
  readonly own: number | undefined;
};

function describe(start: Start, { command, role, own }: Described): ProcessManifest {
  const { folder, file } = start.sources;
  const port = role !== "worker";
  return {
    command,
    port,
    ownPort: own ?? null,
    ready: port ? DEFAULT_READY : { kind: "none" },
    folder,
    reloads: isReloading(command, file),
  };
}

function planUnknown(start: Start, command: string): Planned {
  const process = describe(start, { command, role: "server", own: undefined });
  return { label: null, role: "server", isSure: false, process, findings: [] };
}

/** Its code was read and waits for nobody, and its name says so. */
function isQuiet({ calls, text }: Leaf, code: readonly string[]): boolean {
  const says = /worker|jobs?\b|queue|cron|consumer|scheduler/i;
  const isNamed = says.test(text) || calls.some(({ name }) => says.test(name));
  return isNamed && !isListening(code);
}

/** The port that the command sets, else the one that its code names. */
function findPort(leaf: Leaf, code: readonly string[]): number | undefined {
  const { PORT } = leaf.invocation.variables;
  const said = findScriptPort(PORT === undefined ? leaf.text : `PORT=${PORT} ${leaf.text}`);
  return said ?? findOwnPort(code);
}

function labelOf({ calls }: Leaf, role: Role): string | null {
  const own = calls.at(-1)?.name.split(":").at(-1) ?? "";
  if (/^(?:dev|start|develop|serve|watch|run)?$/.test(own)) return role === "server" ? "api" : null;
  return own;
}

function explain(
  { sources, key }: { readonly sources: Sources; readonly key: string | null },
  what: {
    readonly name: string | undefined;
    readonly own: number | undefined;
    readonly file: string | undefined;
  },
): readonly Finding[] {
  const { name, own, file } = what;
  const packageFile = nameOf(sources, "package.json");
  const code = file === undefined ? packageFile : nameOf(sources, file);
  return [
    ...(name === undefined ? [] : [{ about: "framework", value: name, file: packageFile, key }]),
    ...(own === undefined
      ? []
      : [{ about: "port in the code", value: String(own), file: code, key: null }]),
  ];
}

/** Names each, the main one `web`; a name that is taken or says nothing gets a number. */
export function nameProcesses(
  planned: readonly Planned[],
): Outcome<Readonly<Record<string, ProcessManifest>>> {
  const ordered = planned.toSorted((one, other) => rank(one) - rank(other));
  const named: Record<string, ProcessManifest> = {};
  for (const [index, { label, role, process }] of ordered.entries()) {
    const wish = index === 0 && process.port ? "web" : toProcessName(label ?? role);
    named[chooseName(wish, named)] = process;
  }
  return found(
    named,
    ordered.flatMap(({ findings }) => findings),
  );
}

const MAIN = /^(?:web|www|app|site|frontend|client|ui)$/;
const ASIDE = /docs?|storybook|admin|example|playground/;

/** What a person opens first goes first, then what is named like it. */
function rank({ role, label, process }: Planned): number {
  const byRole = { page: 0, server: 10, worker: 20 }[role];
  const place = label ?? process.folder;
  if (MAIN.test(place)) return byRole;
  return byRole + (ASIDE.test(place) ? 2 : 1);
}

const RESERVED = new Set(["setup", "migrate", "seed"]);

function toProcessName(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 18)
    .replace(/-+$/, "");
  return name === "" || RESERVED.has(name) ? "process" : name;
}

function chooseName(wish: string, taken: Readonly<Record<string, unknown>>): string {
  if (!(wish in taken)) return wish;
  for (let count = 2; ; count += 1) {
    const name = `${wish.slice(0, 17)}-${count}`;
    if (!(name in taken)) return name;
  }
}
