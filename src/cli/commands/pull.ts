import { flag } from "../grammar/command-shape.ts";
import { defineCommand } from "../session/command.ts";
import { transferFiles } from "../session/transfer-files.ts";
import { formatTransfer } from "../text/transfer-text.ts";

export const pull = defineCommand({
  name: "pull",
  summary: "Make this workspace's files equal to the environment's",
  description:
    "An environment that runs on this folder has the same files anyway: nothing is moved.",
  scope: "environment",
  options: {
    force: flag(
      "Overwrite what was changed here; it is kept aside; without it you are asked, or refused",
      "f",
    ),
  },
  examples: [
    { line: "ramet pull", why: "Take over what changed there" },
    { line: "ramet pull --force", why: "Also over what was changed here, which is kept aside" },
  ],
  run: async (input, session) => transferFiles(session, "pull", input.has("force")),
  hints: ({ changed }) => (changed.length === 0 ? [] : [{ line: "git status", why: "What came" }]),
  toText: (transfer, style) => formatTransfer(transfer, { verb: "pull", style }),
});
