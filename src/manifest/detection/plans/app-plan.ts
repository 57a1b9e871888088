import path from "node:path";

import type { DatabaseManifest } from "../../../environment/manifest.ts";
import { join, type Outcome } from "../signs/outcome.ts";
import type { Sources } from "../signs/sources.ts";
import type { Planned } from "./plan-processes.ts";

/** How one app is run, or several beside each other, before their processes have names. */
export type AppPlan = {
  readonly planned: readonly Planned[];
  readonly setup: string | null;
  /** null: it has none that is forked. */
  readonly database: DatabaseManifest | null;
  readonly clone: readonly string[];
  /** What of its files says it, such as `package.json (dev)`. */
  readonly source: string;
  /** What was read of it. */
  readonly packages: readonly Sources[];
};

/** The same for an app in a folder of its own below the root: its steps go there, its processes run there. */
export function moveBelow({ value, ...told }: Outcome<AppPlan>, folder: string): Outcome<AppPlan> {
  const { planned, setup, database, clone, source, packages } = value;
  const venv = clone.find((name) => /^\.?venv$/.test(name));
  const found = venv === undefined ? "" : `export PATH="$PWD/${venv}/bin:$PATH" && `;
  const enter = (command: string | null): string | null =>
    command === null ? null : `cd ${folder} && ${found}${command}`;
  const findings = told.findings.map((one) => ({
    ...one,
    file: path.posix.join(folder, one.file),
  }));
  return {
    value: {
      planned: planned.map((one) => movePlanned(one, folder)),
      setup: enter(setup),
      database:
        database === null
          ? null
          : { ...database, migrate: enter(database.migrate), seed: enter(database.seed) },
      // A bare name stands for all of that name.
      clone: clone.map((name) => (name.includes("/") ? path.posix.join(folder, name) : name)),
      source: path.posix.join(folder, source),
      packages: packages.map((one) => ({ ...one, folder: path.posix.join(folder, one.folder) })),
    },
    findings,
    warnings: told.warnings.map((text) => `In ${folder}: ${text}`),
  };
}

/** Several as one; its database has the steps of the first that has any. */
export function joinPlans(plans: readonly Outcome<AppPlan>[]): Outcome<AppPlan> {
  const { value, ...told } = join(plans);
  const steps = value.flatMap(({ setup }) => setup ?? []);
  const databases = value.flatMap(({ database }) => database ?? []);
  const stepOf = (about: "migrate" | "seed"): string | null =>
    databases.find((one) => one[about] !== null)?.[about] ?? null;
  const [only] = steps;
  return {
    ...told,
    value: {
      planned: value.flatMap(({ planned }) => planned),
      setup: steps.length > 1 ? steps.map(enclose).join(" && ") : (only ?? null),
      database:
        databases.length === 0
          ? null
          : { migrate: stepOf("migrate"), seed: stepOf("seed"), mask: null },
      clone: [...new Set(value.flatMap(({ clone }) => clone))],
      source: value.map(({ source }) => source).join(", "),
      packages: value.flatMap(({ packages }) => packages),
    },
  };
}

/** Another folder holds for one app's steps alone. */
function enclose(setup: string): string {
  return setup.startsWith("cd ") ? `(${setup})` : setup;
}

/** The folder's name says more than what a process would like to be called by itself. */
function movePlanned(one: Planned, folder: string): Planned {
  const own = path.posix.basename(folder);
  const says = one.label !== null && one.label !== "api" && one.label !== "web";
  const findings = one.findings.map((found) => ({
    ...found,
    file: path.posix.join(folder, found.file),
  }));
  return {
    ...one,
    label: says ? `${own}-${one.label}` : own,
    process: { ...one.process, folder: path.posix.join(folder, one.process.folder) },
    findings,
  };
}
