import path from "node:path";

import { formatMs, formatRatio, run, timeMs } from "./measure.ts";
import { openStage } from "./stage.ts";

const ROUNDS = 10;

/** Commands as whole processes, in turn with a Node that does nothing. */
export async function measureCli(): Promise<readonly string[]> {
  const stage = await openStage();
  try {
    await stage.ramet("init");
    const main = path.join(import.meta.dirname, "..", "src", "main.ts");
    const env = { ...process.env, RAMET_HOME: stage.home };
    const commands = [["--version"], ["env", "list"], ["env", "show", "development"]];
    const figures = new Map<string, number[]>([["node -e 0", []]]);
    for (let round = 0; round < ROUNDS; round += 1) {
      figures.get("node -e 0")?.push(await timeMs(async () => run(process.execPath, ["-e", "0"])));
      for (const command of commands) {
        const name = `ramet ${command.join(" ")}`;
        const ms = await timeMs(async () =>
          run(process.execPath, [main, ...command], { cwd: stage.app, env }),
        );
        figures.set(name, [...(figures.get(name) ?? []), ms]);
      }
    }
    const floor = figures.get("node -e 0") ?? [];
    return [...figures].map(
      ([name, ms]) => `| ${name} | ${formatMs(ms)} | ${formatRatio(ms, floor)} |`,
    );
  } finally {
    await stage.close();
  }
}
