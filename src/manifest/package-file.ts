import { z } from "zod";

import { readJsonFile } from "./json-file.ts";
import { manifestInvalid } from "./problems.ts";

const PACKAGE_FILE = "package.json";

const names = z.record(z.string(), z.unknown()).optional();
const packageSchema = z.object({
  scripts: z.record(z.string(), z.string()).optional(),
  dependencies: names,
  devDependencies: names,
  optionalDependencies: names,
  workspaces: z.unknown().optional(),
  packageManager: z.string().optional(),
});

/** The part of `package.json` that says how to run the app. */
export type PackageFile = z.infer<typeof packageSchema>;

/** undefined when there is none. @throws `manifest_invalid` */
export async function findPackageFile(folder: string): Promise<PackageFile | undefined> {
  const value = await readJsonFile(folder, PACKAGE_FILE);
  if (value === undefined) return undefined;
  const parsed = packageSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue === undefined || issue.path.length === 0 ? "it" : issue.path.join(".");
  throw manifestInvalid(PACKAGE_FILE, `${at} has another form than npm gives it`);
}

export function hasDependencies(file: PackageFile): boolean {
  if (file.workspaces !== undefined) return true;
  const groups = [file.dependencies, file.devDependencies, file.optionalDependencies];
  return groups.some((group) => Object.keys(group ?? {}).length > 0);
}
