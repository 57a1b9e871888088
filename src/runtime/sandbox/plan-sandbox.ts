import type { Mount, Sandbox, SandboxTool } from "./sandbox.ts";
import { planSettings } from "./settings.ts";
import { planSystemMounts } from "./system-folders.ts";
import { type ToolPlaces, listToolFolders } from "./tool-folders.ts";

/** What an environment's processes see. Absolute paths; but for what is named here they are the same inside as outside. */
export type SandboxFacts = {
  readonly tool: SandboxTool;
  readonly program: string;
  readonly hostname: string;
  readonly tools: ToolPlaces;
  /** The environment's own. */
  readonly tree: string;
  /** Read-only, above, below or beside the tree. */
  readonly shown: readonly string[];
  /** Its processes' own home. */
  readonly home: string;
  /** /tmp inside. */
  readonly temporary: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string };
  /** Names that mean the sandbox itself. */
  readonly names: readonly string[];
  /** Files that hold this, to read. */
  readonly settings?: readonly { readonly to: string; readonly text: string }[];
};

/** Later mounts lie upon earlier ones: what is the environment's own upon what is shown of the rest. */
export async function planSandbox(facts: SandboxFacts): Promise<Sandbox> {
  const { tool, program, hostname, tree } = facts;
  const outer = facts.shown.filter((file) => !isInside(file, tree));
  const inner = facts.shown.filter((file) => isInside(file, tree));
  return {
    tool,
    program,
    hostname,
    mounts: [
      ...(await planSystemMounts()),
      ...planSettings(facts),
      ...(facts.settings ?? []).map((one) => ({ kind: "text" as const, ...one })),
      { kind: "write", from: facts.temporary, to: "/tmp" },
      { kind: "link", target: "../tmp", to: "/var/tmp" },
      ...(await listToolFolders(facts.tools)).map(readOnly),
      ...outer.toSorted().map(readOnly),
      { kind: "write", from: tree, to: tree },
      { kind: "write", from: facts.home, to: facts.home },
      ...inner.toSorted().map(readOnly),
    ],
  };
}

function readOnly(file: string): Mount {
  return { kind: "read", from: file, to: file };
}

function isInside(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder}/`);
}
