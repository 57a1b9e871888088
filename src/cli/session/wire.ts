import { randomBytes } from "node:crypto";

import type { CallInput, CallName, CallOutput } from "../../protocol/calls.ts";
import type { FarSides, Wire } from "../../sync/sync.ts";
import type { Session } from "./session.ts";

export type FarTree = { readonly app: string; readonly environment: string };
type Visit = FarTree & { readonly pair: string; readonly visit: string };

/** Asks one call after another. */
type Ask = <Name extends CallName>(
  name: Name,
  input: CallInput<Name>,
  signal?: AbortSignal,
) => Promise<CallOutput<Name>>;

/** A workspace and an environment on a server elsewhere; and what is to be told once files have come there. */
export async function openFarSides(
  session: Session,
  { app, environment, visit: name = nameVisit() }: FarTree & { readonly visit?: string },
  workspace: string,
): Promise<FarSides & { arrived(): Promise<void> }> {
  const { id } = await session.call("environment.show", { app, environment });
  const ask: Ask = async (call, input, signal) => session.ask(call, input, signal);
  let visit: Visit | undefined;
  return {
    local: workspace,
    id,
    connect: (pair) => {
      visit = { app, environment, pair, visit: name };
      return createWire(ask, visit);
    },
    arrived: async () => {
      if (visit !== undefined) await session.call("tree.arrived", visit);
    },
  };
}

/** One command's work with a tree. */
export function nameVisit(): string {
  return randomBytes(8).toString("hex");
}

/** What the tree is asked, as calls. */
function createWire(ask: Ask, visit: Visit): Wire {
  let turns = 0;
  const nextTurn = (): Visit & { readonly turn: number } => ({ ...visit, turn: (turns += 1) });
  return {
    open: async () => ask("tree.open", visit),
    look: async (scope) => ask("tree.look", { ...nextTurn(), scope }),
    answer: async (ignored) => ask("tree.answer", { ...nextTurn(), ignored: [...ignored] }),
    read: async (wants) => ask("tree.read", { ...visit, wants: [...wants] }),
    pieces: async (path) => (await ask("tree.pieces", { ...visit, path })).pieces,
    stage: async ({ parts, packed }) => {
      await ask("tree.stage", { ...nextTurn(), batch: { parts: [...parts], packed } });
    },
    apply: async ({ removals, puts }) =>
      ask("tree.apply", { ...nextTurn(), plan: { removals: [...removals], puts: [...puts] } }),
    commit: async () => void (await ask("tree.commit", visit)),
    wait: async (seen, signal) => (await ask("tree.wait", { ...visit, seen }, signal)).seen,
    close: async () => void (await ask("tree.close", visit)),
  };
}
