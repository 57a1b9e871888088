import { getCompileCacheDir } from "node:module";
import path from "node:path";

/** How to run a program of ours that lies beside the file that names it: in a checkout as in a package, where it has been compiled. */
export function ownProgram(beside: string, name: string): readonly string[] {
  return [process.execPath, path.join(path.dirname(beside), name + path.extname(beside))];
}

/** For the environment of a program of ours: where our own compiled code is kept, if it is. */
export function compiledCodeVariable(): Readonly<Record<string, string>> {
  const folder = findCompiledCode();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

export function findCompiledCode(): string | undefined {
  const ours = getCompileCacheDir();
  return ours === undefined ? undefined : path.dirname(ours);
}
