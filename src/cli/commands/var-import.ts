import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { parseEnv } from "node:util";

import { messageOf } from "../../base/problem.ts";
import { parseEnvironmentName } from "../../environment/name.ts";
import { isReservedVariable } from "../../environment/variable-name.ts";
import type { CallInput } from "../../protocol/calls.ts";
import { chooseVariables } from "../grammar/chosen-variables.ts";
import { flag, value } from "../grammar/command-shape.ts";
import { choiceMissing, flagsExclusive } from "../grammar/problems.ts";
import { defineCommand } from "../session/command.ts";
import { definedOf } from "../terminal/defined.ts";
import { fileUnreadable } from "../terminal/problems.ts";
import { countVariables } from "../text/variable-text.ts";

type Source = CallInput<"variable.import">["source"];

const MAX_FILE_BYTES = 1024 * 1024;

export const varImport = defineCommand({
  name: "var import",
  summary: "Take variables over from another environment or a file",
  description:
    "Without --include-values only the names come, to be set. A secret's value never moves.",
  scope: "environment",
  positionals: [{ name: "VARIABLE", kind: "rest", summary: "The variables; or --all" }],
  options: {
    from: value("ENV", "Another environment of the app"),
    "from-file": value("FILE", "A file of NAME=VALUE lines, such as .env"),
    all: flag("All of them"),
    "include-values": flag("With their values"),
  },
  examples: [
    {
      line: "ramet var import --from development --all --include-values",
      why: "All that development has, but its secrets",
    },
    {
      line: "ramet var import --from-file .env API_KEY",
      why: "The name API_KEY, as one to be set",
    },
  ],
  async run(input, session) {
    const names = chooseVariables(input.rest, input.has("all"), "import");
    const source = await readSource(
      input.value("from"),
      input.value("from-file"),
      session.context.folder,
    );
    const includeValues = input.has("include-values");
    return session.call("variable.import", {
      ...(await session.target()),
      source,
      names,
      includeValues,
    });
  },
  hints: ({ imported, skipped }) =>
    imported.every((variable) => variable.value !== null) && skipped.length === 0
      ? []
      : [{ line: "ramet var list", why: "Which of them are still to be set" }],
  toText({ imported, skipped }, style) {
    const done = `${style.paint("green", "✓")} ${countVariables(imported.length)} imported`;
    const own = skipped.filter(isReservedVariable);
    const secret = skipped.filter((name) => !isReservedVariable(name));
    const mark = style.paint("yellow", "!");
    return [
      done,
      ...(secret.length === 0
        ? []
        : [`${mark} Secrets do not move, set them anew: ${secret.join(", ")}`]),
      ...(own.length === 0 ? [] : [`${mark} Ramet sets these itself: ${own.join(", ")}`]),
    ].join("\n");
  },
});

async function readSource(
  from: string | null,
  file: string | null,
  folder: string,
): Promise<Source> {
  if (from !== null && file !== null) throw flagsExclusive("--from", "--from-file");
  if (from !== null) return { kind: "environment", name: parseEnvironmentName(from) };
  if (file !== null)
    return { kind: "file", variables: await readVariables(path.resolve(folder, file)) };
  throw choiceMissing("Nothing was named to import from.", "Use --from ENV or --from-file FILE.");
}

async function readVariables(file: string): Promise<Record<string, string>> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) throw new Error(`it has more than ${MAX_FILE_BYTES} bytes`);
    return definedOf(parseEnv(await readFile(file, "utf8")));
  } catch (error) {
    throw fileUnreadable(file, messageOf(error));
  }
}
