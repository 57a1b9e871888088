import { flag } from "../grammar/command-shape.ts";
import { defineCommand } from "../session/command.ts";
import { findWorkspaceFolder } from "../session/workspace-folder.ts";
import { formatTransfer } from "../text/transfer-text.ts";

export const push = defineCommand({
  name: "push",
  summary: "Make the environment's files equal to this workspace's",
  description:
    "An environment that runs on this folder has the same files anyway: nothing is moved.",
  scope: "environment",
  options: { force: flag("Overwrite what was changed there; it is kept aside", "f") },
  examples: [
    { line: "ramet push", why: "Send what changed here" },
    { line: "ramet push --force", why: "Also over what was changed there, which is kept aside" },
  ],
  async run(input, session) {
    const target = await session.target();
    const workspace = await findWorkspaceFolder(session, target.app);
    const question = { ...target, workspace, force: input.has("force") };
    return session.isAfar
      ? (await import("../session/far-files.ts")).transferAfar(session, question, "push")
      : session.call("files.push", question);
  },
  hints: ({ changed }) =>
    changed.length === 0 ? [] : [{ line: "ramet logs", why: "What its processes say to that" }],
  toText: (transfer, style) => formatTransfer(transfer, { verb: "push", style }),
});
