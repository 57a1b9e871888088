import { argumentInvalid } from "../grammar/problems.ts";
import { defineCommand } from "../session/command.ts";
import { COMPLETION_SCRIPTS, SHELLS } from "../text/completion-scripts.ts";

export const completion = defineCommand({
  name: "completion",
  summary: "Print the script by which a shell completes commands, flags and names",
  description:
    "Names of environments, apps, processes and variables come from the server, if it runs; none is started for them.",
  positionals: [{ name: "SHELL", kind: "required", summary: "bash, zsh or fish" }],
  isOfMachine: true,
  examples: [
    { line: 'eval "$(ramet completion bash)"', why: "In ~/.bashrc" },
    { line: 'eval "$(ramet completion zsh)"', why: "In ~/.zshrc, after compinit" },
    { line: "ramet completion fish | source", why: "In ~/.config/fish/config.fish" },
  ],
  async run(input) {
    const asked = input.required("SHELL");
    const shell = SHELLS.find((one) => one === asked);
    if (shell === undefined) throw argumentInvalid("The shell", asked, "bash, zsh or fish");
    return { shell, script: COMPLETION_SCRIPTS[shell] };
  },
  toText: ({ script }) => script.trimEnd(),
});
