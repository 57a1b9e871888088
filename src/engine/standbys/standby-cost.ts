import { findDatabaseMemory } from "../../database/database.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { measureOwnBytes } from "../../files/files.ts";

/** What a standby takes; 0 where it is not known. */
export type StandbyCost = {
  readonly diskBytes: number;
  /** Shared pages in parts. */
  readonly memoryBytes: number;
  /** Kept by its source until it has read it. */
  readonly walBytes: number;
};

export const NO_COST: StandbyCost = { diskBytes: 0, memoryBytes: 0, walBytes: 0 };

export async function measureCost(
  folder: string,
  place: DatabasePlace,
): Promise<Omit<StandbyCost, "walBytes">> {
  const [diskBytes, memoryBytes] = await Promise.all([
    measureOwnBytes(folder),
    findDatabaseMemory(place),
  ]);
  return { diskBytes: diskBytes ?? 0, memoryBytes };
}
