import type { EnvironmentView } from "../../protocol/schemas.ts";
import { flag, value } from "../grammar/command-shape.ts";
import { parseCount } from "../grammar/numbers.ts";
import { flagInvalid, flagsExclusive } from "../grammar/problems.ts";
import { defineCommand } from "../session/command.ts";
import { formatFront } from "../text/environment-text.ts";
import { formatProblem } from "../text/failure.ts";
import { titleOf } from "../text/title.ts";

const MAX_PORT = 65_535;

export const envFront = defineCommand({
  name: "env front",
  summary: "Serve one environment at http://localhost:PORT, or stop doing so",
  description:
    'For what cannot use its own URL: a callback that is registered for localhost:3000, a webhook, a phone. The ports are those that its processes declare ("port": 3000 in ramet.json). One port leads to one environment, until it is led to another.',
  scope: "environment",
  positionals: [
    { name: "ENV", kind: "optional", summary: "The environment; otherwise this workspace's" },
  ],
  options: {
    port: value("PORT", "This port, to the process that its URL leads to"),
    off: flag("Take all of its ports back"),
  },
  examples: [
    { line: "ramet env front agent-feature", why: "The ports that its processes declare" },
    { line: "ramet env front --port 3000", why: "Port 3000, to this workspace's" },
    { line: "ramet env front --off", why: "Nothing of localhost leads to it any more" },
  ],
  async run(input, session) {
    const port = input.value("port");
    const off = input.has("off");
    if (off && port !== null) throw flagsExclusive("--off", "--port");
    const request = { port: port === null ? null : parsePort(port), off };
    const target = await session.target(input.optional("ENV"));
    return session.call("environment.front", { ...target, ...request });
  },
  toText(environment, style) {
    const title = style.paint("bold", titleOf(environment));
    const problems = environment.problems.filter(({ code }) => code.startsWith("front_"));
    return [
      `${style.paint("green", "✓")} ${title} ${describe(environment)}`,
      ...environment.fronts.map((front) => `  ${style.paint("underline", formatFront(front))}`),
      ...problems.map((problem) => formatProblem(problem, style)),
    ].join("\n");
  },
});

function describe({ fronts }: EnvironmentView): string {
  return fronts.length === 0 ? "has no port of this machine" : "is at";
}

function parsePort(text: string): number {
  const port = parseCount("--port", text, MAX_PORT);
  if (port === 0) throw flagInvalid("--port", text, `a whole number from 1 to ${MAX_PORT}`);
  return port;
}
