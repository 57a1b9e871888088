import { Problem } from "../../base/problem.ts";

export function storageMoving(home: string): Problem {
  return new Problem({
    code: "storage_moving",
    message: `The environments of ${home} are being moved to other storage.`,
    remedy: "Wait until `ramet server storage` has finished, and do it again.",
  });
}

export function serverStarted(home: string): Problem {
  return new Problem({
    code: "server_started",
    message: `A server of ${home} was started meanwhile.`,
    remedy: "Do it again; what is asked of Ramet meanwhile starts a server.",
  });
}
