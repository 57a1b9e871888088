import type { Finding } from "../../../environment/manifest.ts";
import { executeWith, type ManagerName, runScriptWith } from "../../reading/package-manager.ts";
import { found, type Outcome } from "./outcome.ts";
import { type Leaf, listLeaves } from "./script-leaves.ts";
import { findSource, hasPackage, isThere, nameOf, type Sources } from "./sources.ts";

type Step = { readonly command: string; readonly file: string; readonly key: string | null };

/** What brings the rows' tables up to date, and what fills them first. */
export type Migrations = { readonly migrate: string | null; readonly seed: string | null };

const MIGRATE_SCRIPTS = (
  "db:migrate:deploy db:deploy migrate:deploy prisma:migrate:deploy prisma:deploy " +
  "db:migrate migrate migrate:up db:migrate:up migrate:latest db:migrate:latest " +
  "migration:run migrations:run db:migration:run typeorm:migration:run knex:migrate " +
  "drizzle:migrate db:up migrations:up migrate:run prisma:migrate db:migrations"
).split(" ");
const SEED_SCRIPTS = [
  "db:seed",
  "seed",
  "seed:run",
  "prisma:seed",
  "db:seeds",
  "knex:seed",
  "seeds",
];
/** What loses rows, asks a person, or makes a migration instead of running it. */
const UNFIT =
  /\bmigrate\s+(?:dev|reset|down|make|create|resolve|diff)|\breset\b|\bdrop(?:db)?\b|--force|--accept-data-loss|\brollback\b|\bundo\b|\brevert\b|migrat\w*:(?:make|create|generate|revert|down)|\bgenerate\b(?!.*\bmigrate\b)|\bstudio\b/;

/** Those of one package, run from the app's folder. */
export function planMigrations(sources: Sources, manager: ManagerName): Outcome<Migrations> {
  const start = { sources, manager };
  const migrate = findScript(start, MIGRATE_SCRIPTS) ?? findTool(start);
  const seed = findScript(start, SEED_SCRIPTS) ?? findSeed(start);
  const findings = [...explain("migrate", migrate, sources), ...explain("seed", seed, sources)];
  return found({ migrate: place(migrate, sources), seed: place(seed, sources) }, findings);
}

/** A step that the setup must take before the app starts. */
export function planGenerate({ sources, manager }: Start): string | null {
  if (!hasPackage(sources, "@prisma/client") || !hasPrisma(sources)) return null;
  const { postinstall = "", prepare = "", predev = "" } = sources.file.scripts ?? {};
  const scripts = new Map(Object.entries(sources.file.scripts ?? {}));
  const own = `${postinstall} ${prepare} ${predev} ${scripts.get("dev") ?? ""}`;
  const called = [...own.matchAll(/\brun\s+([\w:.-]+)/g)].map(([, name = ""]) => scripts.get(name));
  if (/\bprisma\s+generate\b/.test([own, ...called].join(" "))) return null;
  return place({ command: executeWith(manager, "prisma generate"), file: "", key: null }, sources);
}

type Start = { readonly sources: Sources; readonly manager: ManagerName };

function explain(about: string, step: Step | undefined, sources: Sources): readonly Finding[] {
  if (step === undefined) return [];
  return [{ about, value: step.command, file: nameOf(sources, step.file), key: step.key }];
}

function place(step: Step | undefined, { folder }: Sources): string | null {
  if (step === undefined) return null;
  return folder === "." ? step.command : `cd ${quote(folder)} && ${step.command}`;
}

function quote(folder: string): string {
  return /^[\w./@+-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", String.raw`'\''`)}'`;
}

function findScript({ sources, manager }: Start, names: readonly string[]): Step | undefined {
  const scripts = sources.file.scripts ?? {};
  for (const name of names) {
    const script = scripts[name]?.trim() ?? "";
    const leaves = listLeaves(script, scripts);
    if (script === "" || leaves.length !== 1 || isUnfit(script, leaves)) continue;
    if (lacksMigrations(leaves, sources)) continue;
    const more = needsUp(leaves) ? "up" : null;
    const command = runScriptWith(manager, name, more);
    return { command, file: "package.json", key: `scripts.${name}` };
  }
  return undefined;
}

function isUnfit(script: string, leaves: readonly Leaf[]): boolean {
  return [script, ...leaves.map((leaf) => leaf.script)].some((text) => UNFIT.test(text));
}

/** What runs migrations before there is one fails, or leaves the database without tables. */
function lacksMigrations([leaf]: readonly Leaf[], sources: Sources): boolean {
  const { program = "", args = [] } = leaf?.invocation ?? {};
  if (!args.includes("migrate")) return false;
  if (program === "prisma") return lacksPrismaMigrations(sources);
  return program === "drizzle-kit" && lacksDrizzleMigrations(sources);
}

/** node-pg-migrate does nothing until it is told which way. */
function needsUp([leaf]: readonly Leaf[]): boolean {
  if (leaf?.invocation.program !== "node-pg-migrate") return false;
  return !leaf.invocation.args.some((word) => /^(?:up|redo)$/.test(word));
}

/** The tool's own command, where the package has a script for none. */
function findTool(start: Start): Step | undefined {
  return (
    findPrisma(start) ??
    findDrizzle(start) ??
    findKnex(start) ??
    findTypeOrm(start) ??
    findNodePgMigrate(start) ??
    findOther(start)
  );
}

function hasPrisma(sources: Sources): boolean {
  return findSource(sources, /\.prisma$/) !== undefined;
}

/** Without migrations the schema alone says what the tables are. */
function findPrisma({ sources, manager }: Start): Step | undefined {
  const schema = findSource(sources, /\.prisma$/);
  if (schema === undefined || !hasPackage(sources, "prisma", "@prisma/client")) return undefined;
  const command = lacksPrismaMigrations(sources) ? "prisma db push" : "prisma migrate deploy";
  return { command: executeWith(manager, command), file: schema.name, key: null };
}

/** False also where nothing says where they would be. */
function lacksPrismaMigrations(sources: Sources): boolean {
  const schema = findSource(sources, /\.prisma$/);
  if (schema === undefined) return false;
  const own = schema.name.replace(/(?:schema\/)?[^/]*$/, "");
  const config = findSource(sources, /^prisma\.config\./)?.text ?? "";
  const [, named] = /\bmigrations\s*:\s*\{[^}]*\bpath\s*:\s*["']([^"']+)["']/.exec(config) ?? [];
  return !isThere(sources, named ?? `${own}migrations`);
}

function findDrizzle({ sources, manager }: Start): Step | undefined {
  const config = findSource(sources, /^drizzle\.config\./);
  if (config === undefined || !hasPackage(sources, "drizzle-kit")) return undefined;
  const command = lacksDrizzleMigrations(sources) ? "drizzle-kit push" : "drizzle-kit migrate";
  return { command: executeWith(manager, command), file: config.name, key: null };
}

function lacksDrizzleMigrations(sources: Sources): boolean {
  const config = findSource(sources, /^drizzle\.config\./);
  if (config === undefined) return false;
  const [, out = "drizzle"] = /\bout["']?\s*:\s*["']([^"']+)["']/.exec(config.text) ?? [];
  return !isThere(sources, out);
}

function findKnex({ sources, manager }: Start): Step | undefined {
  const config = findSource(sources, /^knexfile\./i);
  if (config === undefined || !hasPackage(sources, "knex")) return undefined;
  return { command: executeWith(manager, "knex migrate:latest"), file: config.name, key: null };
}

function findTypeOrm({ sources, manager }: Start): Step | undefined {
  const config = findSource(sources, /data-?source\.[cm]?[jt]s$/i);
  if (config === undefined || !hasPackage(sources, "typeorm")) return undefined;
  if (!/\bmigrations\s*:\s*\[\s*[^\s\]]/.test(config.text)) return undefined;
  const isTypeScript = config.name.endsWith("ts");
  const kind = sources.file.type === "module" ? "esm" : "commonjs";
  const program = isTypeScript ? `typeorm-ts-node-${kind}` : "typeorm";
  const command = `${program} migration:run -d ${config.name}`;
  return { command: executeWith(manager, command), file: config.name, key: null };
}

function findNodePgMigrate({ sources, manager }: Start): Step | undefined {
  if (!hasPackage(sources, "node-pg-migrate") || !isThere(sources, "migrations")) return undefined;
  const command = executeWith(manager, "node-pg-migrate up");
  return { command, file: "package.json", key: "dependencies.node-pg-migrate" };
}

/** Tools that need to be told no more than their command. */
const OTHERS = [
  { name: "@adonisjs/lucid", folder: "database/migrations", command: "node ace migration:run" },
  { name: "sequelize-cli", folder: "migrations", command: "sequelize db:migrate" },
  { name: "@medusajs/medusa", folder: ".", command: "medusa db:migrate" },
];

function findOther({ sources, manager }: Start): Step | undefined {
  const tool = OTHERS.find(
    ({ name, folder }) => hasPackage(sources, name) && (folder === "." || isThere(sources, folder)),
  );
  if (tool === undefined) return undefined;
  const isNode = tool.command.startsWith("node ");
  const command = isNode ? tool.command : executeWith(manager, tool.command);
  return { command, file: "package.json", key: `dependencies.${tool.name}` };
}

function findSeed(start: Start): Step | undefined {
  return findPrismaSeed(start) ?? findKnexSeed(start);
}

function findPrismaSeed({ sources, manager }: Start): Step | undefined {
  const command = executeWith(manager, "prisma db seed");
  if (sources.file.prisma?.seed !== undefined)
    return { command, file: "package.json", key: "prisma.seed" };
  const config = findSource(sources, /^prisma\.config\./);
  if (config === undefined || !/\bseed\s*:\s*["'`]/.test(config.text)) return undefined;
  return { command, file: config.name, key: "migrations.seed" };
}

function findKnexSeed({ sources, manager }: Start): Step | undefined {
  const config = findSource(sources, /^knexfile\./i);
  if (config === undefined || !hasPackage(sources, "knex")) return undefined;
  if (!isThere(sources, "seeds") && !/\bseeds\s*:/.test(config.text)) return undefined;
  return { command: executeWith(manager, "knex seed:run"), file: config.name, key: null };
}
