import { describeManifest, requireAppFolder, requireExplanation } from "../../manifest/manifest.ts";
import { defineCommand } from "../session/command.ts";
import { formatExplanation } from "../text/manifest-text.ts";

export const detect = defineCommand({
  name: "detect",
  summary: "Show how the app in this folder runs, and what says so",
  description:
    "Reads ramet.json, package.json, manage.py, Procfile, lock files and what else stands in the folder, or in the " +
    "folders below where that is no app itself; runs nothing, needs no server, " +
    "and changes nothing. Where there is no ramet.json it shows the one that says the same.",
  isOfMachine: true,
  examples: [
    { line: "ramet detect", why: "Processes, setup, database, variables, and the reason for each" },
    { line: "ramet detect --json", why: "The same for a program" },
  ],
  async run(_input, session) {
    const workspace = await session.workspace();
    const folder = await requireAppFolder(workspace.folder, workspace.root);
    const explanation = await requireExplanation(folder);
    const isWritten = explanation.manifest.source.startsWith("ramet.json");
    return {
      folder,
      ...explanation,
      file: isWritten ? null : describeManifest(explanation, explanation.name),
    };
  },
  toText: (result, style) => formatExplanation(result, { file: result.file, style }),
});
