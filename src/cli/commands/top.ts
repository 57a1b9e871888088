import { systemClock } from "../../base/clock.ts";
import type { EnvironmentUse } from "../../protocol/schemas.ts";
import { flag } from "../grammar/command-shape.ts";
import { flagsExclusive } from "../grammar/problems.ts";
import { defineCommand } from "../session/command.ts";
import type { Session } from "../session/session.ts";
import { showScreen } from "../terminal/live-screen.ts";
import { styleFor } from "../terminal/style.ts";
import { formatUses } from "../text/use-text.ts";

const EVERY_MS = 1_000;

export const top = defineCommand({
  name: "top",
  summary: "Show live what each environment uses, until you press q",
  description:
    "Processor, memory and processes with the database's, requests a second, the database's size and connections. " +
    "To be looked at keeps no environment awake. Without a terminal it shows them once.",
  scope: "app",
  options: { all: flag("Of all apps"), once: flag("Once, and end") },
  examples: [
    { line: "ramet top --all", why: "Of all apps, until q or Ctrl-C" },
    { line: "ramet top --json", why: "Once, for a program" },
  ],
  async run(input, session): Promise<readonly EnvironmentUse[] | undefined> {
    const isAll = input.has("all");
    if (isAll && session.chosenApp !== null) throw flagsExclusive("--all", "--app");
    const app = isAll ? null : ((await session.findApp()) ?? null);
    const isOnce = input.has("once") || session.isJson || !session.context.stdout.isTerminal;
    if (isOnce) return session.call("environment.use", { app });
    await watch(session, app);
    return undefined;
  },
  toText: (uses, style) => (uses === undefined ? "" : formatOrNone(uses, style)),
});

async function watch(session: Session, app: string | null): Promise<void> {
  const { context } = session;
  await showScreen(context, {
    everyMs: EVERY_MS,
    picture: async () => {
      const uses = await session.call("environment.use", { app });
      return formatOrNone(uses, styleFor(context.stdout, context.environment, systemClock.now()));
    },
  });
}

function formatOrNone(
  uses: readonly EnvironmentUse[],
  style: Parameters<typeof formatUses>[1],
): string {
  return uses.length === 0 ? "There is no environment yet." : formatUses(uses, style);
}
