import path from "node:path";

import type { Transfer } from "../../protocol/schemas.ts";
import type { Style } from "../terminal/style.ts";

/** How to have back what a folder of the trash holds, on whichever machine it is. */
export function formatRestore(displaced: string): string {
  return `ramet trash restore ${path.basename(displaced)}`;
}

/** What came of a push or a pull. */
export function formatTransfer(
  transfer: Transfer,
  { verb, style }: { verb: string; style: Style },
): string {
  const { app, environment, files, changed, displaced } = transfer;
  const title = style.paint("bold", `${app}/${environment}`);
  const done = style.paint("green", "✓");
  if (files.kind === "linked")
    return `${done} ${title} runs on ${files.path}: there is nothing to ${verb}.`;
  if (changed.length === 0) return `${done} ${title} has the same files already.`;
  const count = `${changed.length} file${changed.length === 1 ? "" : "s"}`;
  const kept =
    displaced === null
      ? []
      : [style.paint("dim", `  What stood there before is kept: ${formatRestore(displaced)}`)];
  const direction = verb === "push" ? "to" : "from";
  return [`${done} ${count} ${verb}ed ${direction} ${title}`, ...kept].join("\n");
}
