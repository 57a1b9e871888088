import type { Answers, DatabaseManifest } from "../../../environment/manifest.ts";
import { hasDependencies } from "../../reading/package-file.ts";
import { findPackageManager } from "../../reading/package-manager.ts";
import { DEFAULT_READY } from "../../reading/ramet-file.ts";
import { isReloading } from "../../reading/reloading.ts";
import { found, type Outcome } from "../signs/outcome.ts";
import { listSettings } from "../signs/outputs.ts";
import type { Sources } from "../signs/sources.ts";
import type { Procfile } from "../stacks/procfile.ts";
import type { Stack, StackProcess } from "../stacks/stack.ts";
import type { AppPlan } from "./app-plan.ts";
import type { Planned } from "./plan-processes.ts";

export type StackApp = {
  readonly sources: Sources;
  readonly answers: Answers;
  /** Says which processes it has, where it is there. */
  readonly procfile: Procfile | undefined;
};

/** An app whose framework is no package of Node's. @throws `detection_ambiguous` */
export function planStack(stack: Stack, app: StackApp): Outcome<AppPlan> {
  const { sources, procfile } = app;
  const { processes } = procfile ?? stack;
  const file = procfile?.file ?? stack.file;
  const assets = planAssets(stack, app);
  const steps = [...stack.setup, ...assets.setup];
  const texts = new Map([...sources.texts, ...Object.entries(stack.texts)]);
  return found(
    {
      planned: processes.map((one) => toPlanned(one, sources)),
      setup: steps.length === 0 ? null : steps.join(" && "),
      database: planTables(stack),
      clone: [...new Set([...assets.clone, ...stack.clone, ...listSettings([sources])])],
      source: `${file} (${stack.name})`,
      packages: [{ ...sources, texts }],
    },
    [
      { about: "framework", value: stack.name, file: stack.file, key: null },
      ...stack.engine.findings,
    ],
    [...warnOfOther(stack), ...stack.warnings],
  );
}

/** Processes as another file than a script of package.json says them. */
export function toPlanned(
  { label, role, command, ownPort }: StackProcess,
  { folder, file }: Pick<Sources, "folder" | "file">,
): Planned {
  const port = role !== "worker";
  return {
    label,
    role,
    isSure: true,
    process: {
      command,
      port,
      ownPort: ownPort ?? null,
      ready: port ? DEFAULT_READY : { kind: "none" },
      folder,
      reloads: isReloading(command, file),
    },
    findings: [],
  };
}

function planTables({ engine, migrate, seed }: Stack): DatabaseManifest | null {
  if (engine.kind === "none" || engine.kind === "other") return null;
  return { migrate, seed, mask: null };
}

/** What its pages need of Node's packages. */
function planAssets(
  { buildsAssets = false }: Stack,
  { sources, answers }: StackApp,
): Pick<Stack, "setup" | "clone"> {
  const { file, paths } = sources;
  if (!hasDependencies(file)) return { setup: [], clone: [] };
  const { name, install } = findPackageManager(paths, file, answers.packageManager);
  const setup = buildsAssets ? [install, `${name} run build`] : [install];
  return { setup, clone: ["node_modules"] };
}

function warnOfOther({ engine }: Stack): readonly string[] {
  if (engine.kind !== "other") return [];
  return engine.findings.map(({ file, value }) =>
    /sqlite/i.test(value)
      ? `${file} keeps the rows in SQLite: a fork gets a copy of its file, which may be in use meanwhile.`
      : `${file} names ${value}: Ramet forks PostgreSQL alone, so the app's own database is not forked.`,
  );
}
