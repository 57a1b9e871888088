import { defineCommand } from "../session/command.ts";
import { formatCaller } from "../text/access-text.ts";

export const whoami = defineCommand({
  name: "whoami",
  summary: "Show which server commands are for, and what you may do there",
  examples: [
    { line: "ramet whoami", why: "Before something that cannot be undone" },
    { line: "ramet whoami --json", why: "For a program" },
  ],
  async run(_input, session) {
    const caller = await session.call("access.whoami", {});
    return { url: session.context.remote?.url ?? null, ...caller };
  },
  toText: formatCaller,
});
