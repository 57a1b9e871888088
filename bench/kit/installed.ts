import { chmod, cp, mkdir, readdir, symlink } from "node:fs/promises";
import path from "node:path";

import type { UndoStack } from "../../src/base/undo-stack.ts";
import { openHere } from "./places.ts";
import { run } from "./program.ts";
import { pickEnvironment, ROOT } from "./stage.ts";

/** Made by the tools, or not a part of the package. */
const NOT_PACKED = new Set(["node_modules", ".git", "dist"]);

/**
 * Packs a copy of the checkout, because packing builds, and installs that as npm does for its users. Resolves with the
 * installed launcher; `undo` removes it.
 */
export async function installPackage(undo: UndoStack, signal: AbortSignal): Promise<string> {
  const folder = await openHere(undo);
  const launch = { folder, environment: pickEnvironment(path.join(folder, "home")), signal };
  const npm = async (...args: readonly string[]): Promise<string> =>
    run({ file: "npm", args: [...args, "--silent"], ...launch });
  const checkout = path.join(folder, "checkout");
  await cp(ROOT, checkout, {
    recursive: true,
    preserveTimestamps: true,
    filter: (file) => !NOT_PACKED.has(path.basename(file)),
  });
  await symlink(path.join(ROOT, "node_modules"), path.join(checkout, "node_modules"));
  await npm("pack", checkout, "--prefix", checkout, "--pack-destination", folder);
  const archive = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  if (archive === undefined) throw new Error("npm pack made no archive.");
  const target = path.join(folder, "installed");
  await mkdir(target);
  // As root, keepers of other users start from here.
  await chmod(target, 0o711);
  const quiet = ["--no-audit", "--no-fund", "--prefer-offline"];
  await npm("install", "--prefix", target, ...quiet, path.join(folder, archive));
  return path.join(target, "node_modules/.bin/ramet");
}
