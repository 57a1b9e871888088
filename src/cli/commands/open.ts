import { Problem } from "../../base/problem.ts";
import { processUnknown } from "../../environment/problems.ts";
import { runAttached } from "../../process/process.ts";
import { value } from "../grammar/command-shape.ts";
import { defineCommand } from "../session/command.ts";
import { requireUrl } from "../session/required-address.ts";
import type { Context } from "../terminal/context.ts";
import { definedOf } from "../terminal/defined.ts";

export const open = defineCommand({
  name: "open",
  summary: "Open the environment's URL in the browser",
  description: "Where there is no browser the URL is printed.",
  scope: "environment",
  options: { process: value("PROCESS", "Of this process; otherwise of the first", "p") },
  examples: [
    { line: "ramet open", why: "The first process's URL" },
    { line: "ramet open --process admin", why: "Another's" },
  ],
  async run(input, session) {
    const environment = await session.environment();
    const names = environment.processes.map(({ name }) => name);
    const url = addressOf(requireUrl(session, environment), {
      process: input.value("process"),
      names,
    });
    return { url, opened: !session.isJson && (await openBrowser(url, session.context)) };
  },
  toText: ({ url, opened }, style) => (opened ? `${style.paint("green", "✓")} ${url}` : url),
});

function addressOf(
  url: string,
  asked: { process: string | null; names: readonly string[] },
): string {
  if (asked.process === null) return url;
  if (!asked.names.includes(asked.process)) {
    throw processUnknown(asked.process, asked.names);
  }
  const address = new URL(url);
  address.hostname = `${asked.process}.${address.hostname}`;
  return address.origin;
}

async function openBrowser(
  url: string,
  { folder, environment, stdout }: Context,
): Promise<boolean> {
  const isMac = process.platform === "darwin";
  const hasScreen =
    isMac || Boolean(environment["DISPLAY"]) || Boolean(environment["WAYLAND_DISPLAY"]);
  if (!stdout.isTerminal || !hasScreen) return false;
  try {
    const file = isMac ? "open" : "xdg-open";
    const { exitCode } = await runAttached({
      file,
      args: [url],
      folder,
      environment: definedOf(environment),
      user: null,
    });
    return exitCode === 0;
  } catch (error) {
    // Without such a program the URL on the screen is what is left.
    if (error instanceof Problem) return false;
    throw error;
  }
}
