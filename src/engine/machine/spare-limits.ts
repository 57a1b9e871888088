/** How many spare copies there may be, and of what. */
export type SpareLimits = {
  /** Of all apps of a home; 0: none are made. */
  readonly most: number;
  /** Nobody makes or starts an environment for so long before one is made. */
  readonly calmMs: number;
  /** A folder with fewer files and folders in it is copied quickly enough. */
  readonly leastEntries: number;
};

export const SPARE_LIMITS: SpareLimits = { most: 8, calmMs: 2_000, leastEntries: 200 };
