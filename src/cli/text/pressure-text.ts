import type { EnvironmentUse } from "../../protocol/schemas.ts";

/** Less is nobody's worry. */
const LEAST_PRESSURE = 0.01;

/** For what its processes wait longest. */
export function formatPressure(pressure: EnvironmentUse["pressure"]): string {
  const [most] = Object.entries(pressure ?? {}).toSorted(([, one], [, other]) => other - one);
  if (most === undefined || most[1] < LEAST_PRESSURE) return "–";
  return `${Math.round(most[1] * 100)} % ${most[0]}`;
}
