import { parseFields, parseList, parseOneOf, parseText } from "../../base/parse-fields.ts";

/** What a process inside sees at `to`; of what is not there on this machine nothing is seen. */
export type Mount =
  | { readonly kind: "read" | "write"; readonly from: string; readonly to: string }
  | { readonly kind: "link"; readonly target: string; readonly to: string }
  /** A file that holds this, to read. */
  | { readonly kind: "text"; readonly text: string; readonly to: string };

export const SANDBOX_TOOLS = ["bubblewrap", "unshare"] as const;
export type SandboxTool = (typeof SANDBOX_TOOLS)[number];

/** A view of the machine that holds what is listed, and no more; later mounts lie upon earlier ones. */
export type Sandbox = {
  readonly tool: SandboxTool;
  /** Absolute: a tool of that name in the app's own folders must not be taken for it. */
  readonly program: string;
  /** Whoever asks inside is told that the machine is called so. */
  readonly hostname: string;
  readonly mounts: readonly Mount[];
  /** "none": not even the network of whoever starts it, which is an environment's own. */
  readonly network?: "none";
};

/** @throws Error when it is none */
export function parseSandbox(value: unknown): Sandbox {
  const fields = parseFields(value, "sandbox");
  return {
    tool: parseOneOf(fields["tool"], SANDBOX_TOOLS),
    program: parseText(fields["program"], "program"),
    hostname: parseText(fields["hostname"], "hostname"),
    mounts: parseList(fields["mounts"], parseMount),
  };
}

function parseMount(value: unknown): Mount {
  const fields = parseFields(value, "mount");
  const to = parseText(fields["to"], "to");
  if (fields["kind"] === "link") {
    return { kind: "link", target: parseText(fields["target"], "target"), to };
  }
  if (fields["kind"] === "text") {
    return { kind: "text", text: parseText(fields["text"], "text"), to };
  }
  const kind = parseOneOf(fields["kind"], ["read", "write"] as const);
  return { kind, from: parseText(fields["from"], "from"), to };
}
