import type { EnvironmentId } from "../../environment/environment.ts";

/** An environment that may be forked, and what is known of it. */
export type StandbySource = {
  readonly id: EnvironmentId;
  /** How many standbys it is to have. */
  readonly wanted: number;
  /** Whether its database serves; it does so for a moment in a source that sleeps, too. */
  readonly isServing: boolean;
  readonly isAwake: boolean;
  /** Whether it may be copied just now. */
  readonly mayBuild: boolean;
};

/** `changing`: it is being started, stopped or removed. `claimed`: a fork is about to promote it. */
export type StandbyPhase = "building" | "following" | "resting" | "changing" | "claimed";

export type KnownStandby = {
  readonly id: EnvironmentId;
  readonly source: EnvironmentId;
  readonly phase: StandbyPhase;
};

export type StandbyStep =
  | { readonly kind: "build"; readonly source: EnvironmentId }
  | { readonly kind: "follow" | "rest" | "remove"; readonly id: EnvironmentId };

/**
 * What is to be done next. `sources` in the order in which they get standbys, of which there are at most `most`; those
 * of a source that sleeps rest. One is built at a time.
 */
export function planStandbys(
  sources: readonly StandbySource[],
  standbys: readonly KnownStandby[],
  most: number,
): readonly StandbyStep[] {
  const shares = share(sources, most);
  const steps = standbys.flatMap((standby) => {
    const source = sources.find(({ id }) => id === standby.source);
    const before = standbys.slice(0, standbys.indexOf(standby));
    const place = before.filter((other) => other.source === standby.source).length;
    const isWanted = place < (shares.get(standby.source) ?? 0);
    return planStandby(standby, isWanted ? source : undefined);
  });
  const isBuilding = standbys.some(({ phase }) => phase === "building");
  const next = sources.find(
    ({ id, mayBuild }) =>
      mayBuild && standbys.filter(({ source }) => source === id).length < (shares.get(id) ?? 0),
  );
  if (isBuilding || next === undefined || standbys.length >= most) return steps;
  return [...steps, { kind: "build", source: next.id }];
}

/** `source`: undefined where the standby is one too many. */
function planStandby(
  { id, phase }: KnownStandby,
  source: StandbySource | undefined,
): readonly StandbyStep[] {
  if (phase === "claimed" || phase === "changing") return [];
  if (source === undefined) return [{ kind: "remove", id }];
  const kind = source.isServing ? WHILE_SERVING[phase] : AT_REST[phase];
  if (kind === "follow" && !source.isAwake) return [];
  return kind === null ? [] : [{ kind, id }];
}

const WHILE_SERVING = { building: null, following: null, resting: "follow" } as const;
/** After the source: so they have all that it wrote. */
const AT_REST = { building: "remove", following: "rest", resting: null } as const;

function share(
  sources: readonly StandbySource[],
  most: number,
): ReadonlyMap<EnvironmentId, number> {
  let left = most;
  const shares = new Map<EnvironmentId, number>();
  for (const { id, wanted } of sources) {
    shares.set(id, Math.min(wanted, left));
    left -= Math.min(wanted, left);
  }
  return shares;
}
