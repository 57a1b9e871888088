import { monotonicMs } from "../base/clock.ts";
import type { Accepted, Upgrade } from "./forward.ts";
import type { Exchange } from "./respond.ts";
import type { Target } from "./target.ts";

/** As nginx says it of a client that left before it was answered. */
const LEFT = 499;
const SWITCHED = 101;

/** Tells the target, once a request is over, what became of it. */
export function noteAccess(
  { request, response }: Exchange,
  { accepted, upgrade, target }: { accepted: Accepted; upgrade: Upgrade | null; target: Target },
): void {
  const beganMs = monotonicMs();
  const { method, path, host } = accepted;
  const protocol = `HTTP/${request.httpVersion}`;
  const tell = (): void => {
    const { statusCode, headersSent } = response;
    const status = headersSent || statusCode === SWITCHED ? statusCode : LEFT;
    target.note({ method, path, host, protocol, status, ms: monotonicMs() - beganMs });
  };
  // A response leaves the socket of its upgrade before that is over.
  if (upgrade === null) response.once("close", tell);
  else upgrade.socket.once("close", tell);
}
