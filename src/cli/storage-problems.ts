import { Problem } from "../base/problem.ts";

export function ownerNeeded(home: string): Problem {
  return new Problem({
    code: "owner_needed",
    message: `What runs in ${home} belongs to another user, and no server of that user is there to end it.`,
    remedy: "Start it as that user with `ramet server start`, then do this again.",
  });
}
