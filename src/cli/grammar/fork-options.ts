import { FORK_DATA } from "../../environment/environment.ts";
import type { ForkData } from "../../environment/environment.ts";
import { value } from "./command-shape.ts";
import { flagInvalid } from "./problems.ts";

/** Of every command that forks. */
export const DATA_OPTION = value(
  FORK_DATA.join("|"),
  "The source's rows, its tables alone, or nothing of its database; otherwise as ramet.json says, or all",
);

/** null: not said. @throws `flag_invalid` */
export function parseData(chosen: string | null): ForkData | null {
  const data = FORK_DATA.find((one) => one === chosen);
  if (chosen !== null && data === undefined)
    throw flagInvalid(
      "--data",
      chosen,
      `${FORK_DATA.slice(0, -1).join(", ")} or ${FORK_DATA.at(-1)}`,
    );
  return data ?? null;
}
