import { flag } from "../command-shape.ts";
import { defineCommand } from "../command.ts";
import { formatTransfer } from "../transfer-text.ts";

export const pull = defineCommand({
  name: "pull",
  summary: "Make this workspace's files equal to the environment's",
  description:
    "An environment that runs on this folder has the same files anyway: nothing is moved.",
  scope: "environment",
  options: { force: flag("Overwrite what was changed here; it is kept aside", "f") },
  async run(input, session) {
    const { root } = await session.workspace();
    return session.call("files.pull", {
      ...(await session.target()),
      workspace: root,
      force: input.has("force"),
    });
  },
  toText: (transfer, style) => formatTransfer(transfer, { verb: "pull", style }),
});
