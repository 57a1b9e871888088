import { z } from "zod";

import { readJsonFile } from "./json-file.ts";
import { manifestInvalid } from "./problems.ts";

export const PACKAGE_FILE = "package.json";

const names = z.record(z.string(), z.unknown()).optional();
/** Of no use to npm in this form, and no reason to stop. */
const text = z.string().optional().catch(undefined);

const packageSchema = z.object({
  name: text,
  main: text,
  type: text,
  scripts: z.record(z.string(), z.string()).optional(),
  dependencies: names,
  devDependencies: names,
  optionalDependencies: names,
  workspaces: z.unknown().optional(),
  packageManager: z.string().optional(),
  exports: z.unknown().optional(),
  prisma: z.object({ schema: text, seed: text }).optional().catch(undefined),
});

/** The part of `package.json` that says how to run the app. */
export type PackageFile = z.infer<typeof packageSchema>;

/** undefined when there is none; `inner`: of a package below the folder. @throws `manifest_invalid` */
export async function findPackageFile(
  folder: string,
  inner = PACKAGE_FILE,
): Promise<PackageFile | undefined> {
  const value = await readJsonFile(folder, inner);
  if (value === undefined) return undefined;
  const parsed = packageSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue === undefined || issue.path.length === 0 ? "it" : issue.path.join(".");
  throw manifestInvalid(inner, `${at} has another form than npm gives it`);
}

export function hasDependencies(file: PackageFile): boolean {
  if (file.workspaces !== undefined) return true;
  const groups = [file.dependencies, file.devDependencies, file.optionalDependencies];
  return groups.some((group) => Object.keys(group ?? {}).length > 0);
}
