import type { Sandbox, SandboxTool } from "./sandbox.ts";
import { planSystemMounts } from "./system-folders.ts";

/** What a program of ours sees that works on one folder, for somebody whom it should not trust. */
export type NarrowFacts = {
  readonly tool: SandboxTool;
  readonly program: string;
  readonly hostname: string;
  /** Read-only: the program itself, and what it loads. */
  readonly readable: readonly string[];
  readonly writable: string;
};

/** The system to read, the one folder to write, no network: at the paths that they have outside. */
export async function planNarrowSandbox(facts: NarrowFacts): Promise<Sandbox> {
  const { tool, program, hostname, readable, writable } = facts;
  return {
    tool,
    program,
    hostname,
    network: "none",
    mounts: [
      ...(await planSystemMounts()),
      ...readable.map((file) => ({ kind: "read" as const, from: file, to: file })),
      { kind: "write", from: writable, to: writable },
    ],
  };
}
