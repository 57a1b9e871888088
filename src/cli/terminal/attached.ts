import { constants } from "node:os";

import { runAttached } from "../../process/process.ts";
import type { Context } from "./context.ts";
import { definedOf } from "./defined.ts";

/** Runs a program with this terminal and the caller's environment, and these variables over it; its exit code. */
export async function attach(
  context: Context,
  program: {
    readonly file: string;
    readonly args: readonly string[];
    readonly variables: Readonly<Record<string, string>>;
  },
): Promise<number> {
  const { file, args, variables } = program;
  const environment = { ...definedOf(context.environment), ...variables };
  const shielded = context.shielded ?? ((work) => work());
  const { exitCode, signal } = await shielded(() =>
    runAttached({ file, args, folder: context.folder, environment, user: null }),
  );
  return exitCode ?? 128 + signalNumber(signal);
}

function signalNumber(name: string | null): number {
  return Object.entries(constants.signals).find(([signal]) => signal === name)?.[1] ?? 0;
}
