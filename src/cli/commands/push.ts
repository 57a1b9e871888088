import { flag } from "../grammar/command-shape.ts";
import { defineCommand } from "../session/command.ts";
import { transferFiles } from "../session/transfer-files.ts";
import { formatTransfer } from "../text/transfer-text.ts";

export const push = defineCommand({
  name: "push",
  summary: "Make the environment's files equal to this workspace's",
  description:
    "An environment that runs on this folder has the same files anyway: nothing is moved.",
  scope: "environment",
  options: {
    force: flag(
      "Overwrite what was changed there; it is kept aside; without it you are asked, or refused",
      "f",
    ),
  },
  examples: [
    { line: "ramet push", why: "Send what changed here" },
    { line: "ramet push --force", why: "Also over what was changed there, which is kept aside" },
  ],
  run: async (input, session) => transferFiles(session, "push", input.has("force")),
  hints: ({ changed }) =>
    changed.length === 0 ? [] : [{ line: "ramet logs", why: "What its processes say to that" }],
  toText: (transfer, style) => formatTransfer(transfer, { verb: "push", style }),
});
