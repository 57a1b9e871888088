import { defineCommand } from "../session/command.ts";
import { countOutcomes, formatVerification } from "../text/verification-text.ts";

export const envVerify = defineCommand({
  name: "env verify",
  summary: "Try to break out of an environment, and show what held",
  description:
    "Plants canaries in a second environment, which it makes and takes away again, and in a process of the machine. " +
    "Then a program in the environment's own sandbox tries to get hold of them, and of the server, the machine and its " +
    "kernel. It does no harm where it succeeds. Exit code 2: something leaked.",
  scope: "environment",
  positionals: [
    { name: "ENV", kind: "optional", summary: "The environment; otherwise this workspace's" },
  ],
  examples: [
    { line: "ramet env verify", why: "This workspace's" },
    { line: "ramet env verify staging --json", why: "Another, for a program" },
  ],
  async run(input, session) {
    return session.call("environment.verify", await session.target(input.optional("ENV")));
  },
  toText: formatVerification,
  hints: (verification) =>
    countOutcomes(verification).leaked === 0
      ? []
      : [{ line: "ramet doctor", why: "What keeps environments apart on this machine" }],
  exitCode: (verification) => (countOutcomes(verification).leaked === 0 ? 0 : 2),
});
