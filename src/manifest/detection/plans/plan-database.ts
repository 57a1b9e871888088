import type { DatabaseManifest } from "../../../environment/manifest.ts";
import { findEngine } from "../signs/database-engine.ts";
import { type Migrations, planMigrations } from "../signs/migrations.ts";
import { found, type Outcome } from "../signs/outcome.ts";
import type { Project } from "./project.ts";

/** A database with what its tables and first rows come from; null where the app plainly uses another engine. */
export function planDatabase({
  root,
  members,
  manager,
}: Project): Outcome<DatabaseManifest | null> {
  const packages = [root, ...members];
  const engine = findEngine(packages);
  if (engine.value === "other") return found(null, engine.findings, warnOfOther(engine));
  const planned = packages.map((sources) => planMigrations(sources, manager.name));
  const migrate = pick(planned, "migrate");
  const seed = pick(planned, "seed");
  const findings = [engine, migrate, seed].flatMap((one) => one.findings);
  return found({ migrate: migrate.value, seed: seed.value, mask: null }, findings);
}

/** Of the first package that has one. */
function pick(
  planned: readonly Outcome<Migrations>[],
  about: "migrate" | "seed",
): Outcome<string | null> {
  const first = planned.find(({ value }) => value[about] !== null);
  const findings = first?.findings.filter((finding) => finding.about === about);
  return found(first?.value[about] ?? null, findings);
}

function warnOfOther({ findings }: Outcome<unknown>): readonly string[] {
  return findings.map(
    ({ file, value }) =>
      `${file} names ${value}: Ramet forks PostgreSQL alone, so the app's own database is not forked.`,
  );
}
