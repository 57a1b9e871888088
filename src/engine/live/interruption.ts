import type { EnvironmentRecord } from "../../environment/environment.ts";
import { preparationInterrupted } from "../../environment/problems.ts";

type Interrupted = {
  readonly record: EnvironmentRecord;
  save(change: Partial<EnvironmentRecord>): Promise<void>;
};

/** Neither one that is broken runs, nor one whose database is not migrated yet. */
export function mayRun({ state, remaining }: EnvironmentRecord): boolean {
  return state.kind !== "broken" && (state.kind !== "preparing" || remaining.length === 0);
}

/** No processes were there to be taken up: a wake is due, or a preparation that was cut off is to be done again. */
export async function noteInterruption(live: Interrupted): Promise<void> {
  const { state, name } = live.record;
  if (state.kind === "awake") await live.save({ state: { kind: "asleep" } });
  if (state.kind !== "preparing") return;
  await live.save({
    state: { kind: "broken", problem: preparationInterrupted(name).toFields() },
  });
}
