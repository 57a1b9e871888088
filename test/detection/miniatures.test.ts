import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { Problem } from "../../src/base/problem.ts";
import { writeAtomically } from "../../src/base/write-atomically.ts";
import type { Explanation, Manifest } from "../../src/environment/manifest.ts";
import {
  describeManifest,
  findManifest,
  requireExplanation,
  writeManifest,
} from "../../src/manifest/manifest.ts";
import { DATABASES } from "./databases.ts";
import { FRAMEWORKS } from "./frameworks.ts";
import type { Expected, Miniature } from "./miniature.ts";
import { MONOREPOS } from "./monorepos.ts";
import { SCRIPTS } from "./scripts.ts";
import { STACKS } from "./stacks.ts";

const ALL = [...FRAMEWORKS, ...SCRIPTS, ...DATABASES, ...MONOREPOS, ...STACKS];
const GOOD = ALL.flatMap((one) => ("expected" in one ? [one] : []));
const BAD = ALL.flatMap((one) => ("problem" in one ? [one] : []));

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-miniature-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function build({ files }: Miniature): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeAtomically(file, typeof content === "string" ? content : JSON.stringify(content));
  }
}

/** What was found, in the words of what is expected. */
function outline({ manifest, warnings }: Explanation, like: Expected): Expected {
  const variables = Object.entries(manifest.variables).map(([name, { value }]) => [name, value]);
  return {
    processes: outlineProcesses(manifest, like.processes ?? {}),
    setup: manifest.setup,
    database: manifest.database,
    variables: Object.fromEntries(variables),
    clone: manifest.files.clone,
    warnings: warnings.map((text) => like.warnings?.find((part) => text.includes(part)) ?? text),
  };
}

/** By its command alone where no more is expected. */
function outlineProcesses(
  { processes }: Manifest,
  like: object,
): Readonly<Record<string, unknown>> {
  const alone = new Set(
    Object.entries(like).flatMap(([name, one]) => (typeof one === "string" ? [name] : [])),
  );
  return Object.fromEntries(
    Object.entries(processes).map(([name, one]) => [name, alone.has(name) ? one.command : one]),
  );
}

test("there are forty repositories in miniature, and more", () => {
  expect(ALL.length).toBeGreaterThanOrEqual(40);
  expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
});

test.each(GOOD)("$name", async (miniature) => {
  await build(miniature);
  const found = outline(await requireExplanation(folder), miniature.expected);
  const wanted = { ...found, ...miniature.expected };
  expect(found).toMatchObject(wanted);
  // Neither more processes nor variables than those, and in this order.
  for (const part of ["processes", "variables"] as const)
    expect(Object.keys(found[part] ?? {})).toEqual(Object.keys(wanted[part] ?? {}));
});

test.each(BAD)("$name: one problem that says what to do", async (miniature) => {
  await build(miniature);
  const thrown: unknown = await findManifest(folder).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(Problem);
  expect(thrown).toMatchObject({
    code: miniature.problem.code,
    message: expect.stringContaining(miniature.problem.says),
    remedy: expect.stringMatching(/ramet\.json|Correct /),
  });
});

test.each(GOOD)("$name: the ramet.json that is written says the same", async (miniature) => {
  await build(miniature);
  const explanation = await requireExplanation(folder);
  expect(await writeManifest(folder, describeManifest(explanation, "mini"))).toBe(true);
  expect(await findManifest(folder)).toEqual({
    ...explanation.manifest,
    app: "mini",
    source: "ramet.json",
  });
  expect(await writeManifest(folder, "{}")).toBe(false);
});

test.each(GOOD)("$name: every reason names a file that is there", async (miniature) => {
  await build(miniature);
  const { findings } = await requireExplanation(folder);
  const files = Object.keys(miniature.files);
  expect(findings.filter(({ file }) => !files.includes(file))).toEqual([]);
  expect(findings.length).toBeGreaterThan(0);
});
