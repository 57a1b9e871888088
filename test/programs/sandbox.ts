// Environments that are sealed off by each tool that this machine has, and what they see when asked.
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { MARK_VARIABLE } from "../../src/environment/places.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { planSandbox, startRuntime } from "../../src/runtime/runtime.ts";
import { tryTool } from "../../src/runtime/sandbox/detect.ts";
import { SANDBOX_TOOLS } from "../../src/runtime/sandbox/sandbox.ts";
import type { Sandbox } from "../../src/runtime/sandbox/sandbox.ts";
import { type Bench, SEARCH_PATH } from "./bench.ts";

const LIMIT_MS = 40_000;
const TRIED = await Promise.all(SANDBOX_TOOLS.map(async (tool) => tryTool(tool, null)));

/** Those that work here. */
export const TOOLS = TRIED.filter((one) => one.kind === "isolated");
export type Tool = (typeof TOOLS)[number];

/** The test's own folder holds what others have; `tree`, `home` and `tmp` in it are the environment's. */
export async function makeSandbox(
  folder: string,
  { tool, program }: Tool,
  shown: readonly string[] = [],
): Promise<Sandbox> {
  const [tree, home, temporary] = ["tree", "home", "tmp"].map((name) => path.join(folder, name));
  if (tree === undefined || home === undefined || temporary === undefined)
    throw new Error("Three.");
  for (const one of [tree, home, temporary]) await mkdir(one, { recursive: true });
  return planSandbox({
    tool,
    program,
    hostname: "shop--x",
    tools: { searchPath: SEARCH_PATH, home: "/home/somebody", hidden: [folder] },
    tree,
    shown,
    home,
    temporary,
    user: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, name: "somebody" },
    names: ["shop--x.localhost"],
  });
}

export async function startInside({ place }: Bench): Promise<Runtime> {
  return startRuntime(place, { hasOwnNetwork: true, handsOver: true });
}

type Question = {
  readonly sandbox: Sandbox | null;
  readonly command: string;
  readonly variables?: Readonly<Record<string, string>>;
};

/** Runs a shell's command; `sandbox` null: with the defence switched off. Resolves with its exit code and all it printed. */
export async function ask(
  runtime: Runtime,
  { place, folder }: Bench,
  { sandbox, command, variables = {} }: Question,
): Promise<string> {
  const step = {
    name: "asked",
    command: `${command} 2>&1`,
    folder: sandbox === null ? folder : path.join(folder, "tree"),
    environment: { PATH: SEARCH_PATH, ...variables, [MARK_VARIABLE]: place.mark },
    sandbox,
    relays: [],
    wayOut: null,
    timeoutMs: LIMIT_MS,
  };
  const { exitCode, lastLines } = await runtime.step(step, AbortSignal.timeout(LIMIT_MS));
  return [...lastLines, `exit ${exitCode}`].join("\n");
}
