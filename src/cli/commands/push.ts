import { flag } from "../command-shape.ts";
import { defineCommand } from "../command.ts";
import { formatTransfer } from "../transfer-text.ts";

export const push = defineCommand({
  name: "push",
  summary: "Make the environment's files equal to this workspace's",
  description:
    "An environment that runs on this folder has the same files anyway: nothing is moved.",
  scope: "environment",
  options: { force: flag("Overwrite what was changed there; it is kept aside", "f") },
  async run(input, session) {
    const { root } = await session.workspace();
    return session.call("files.push", {
      ...(await session.target()),
      workspace: root,
      force: input.has("force"),
    });
  },
  toText: (transfer, style) => formatTransfer(transfer, { verb: "push", style }),
});
