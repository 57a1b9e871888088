import { getCompileCacheDir } from "node:module";
import path from "node:path";

/**
 * Of what is made anew all the time V8 lets three times 64 MB pile up where a machine has memory enough, before it looks
 * what of it is still needed: a program that goes on for days would hold them, for some two that it needs.
 */
const YOUNG_MB = 8;

/** Arguments of Node for any program of ours that goes on. */
export const NODE_ARGUMENTS: readonly string[] = [`--max-semi-space-size=${YOUNG_MB}`];
/** The same for its threads, each of which has such a space of its own. */
export const THREAD_LIMITS = { maxYoungGenerationSizeMb: 3 * YOUNG_MB } as const;

/** How to run a program of ours that lies beside the file that names it: in a checkout as in a package, where it has been compiled. */
export function ownProgram(beside: string, name: string): readonly string[] {
  const file = path.join(path.dirname(beside), name + path.extname(beside));
  return [process.execPath, ...NODE_ARGUMENTS, file];
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
