import type { ProblemFields } from "../base/problem.ts";
import { hostBlocked } from "./problems.ts";

/** Those that answer only hosts which their configuration lists: what such an answer says, and how one is listed. */
const REFUSALS: readonly (readonly [says: RegExp, server: string, remedy: string])[] = [
  [
    /^Blocked request\. This host .{1,300} is not allowed/s,
    "Vite",
    'Add ".localhost" to `server.allowedHosts` in its configuration.',
  ],
  [
    /^Invalid Host header/i,
    "webpack-dev-server, or Starlette",
    'Add ".localhost" to `allowedHosts` of the one, "*.localhost" to `allowed_hosts` of the other.',
  ],
  [/Invalid HTTP_HOST header/, "Django", 'Add ".localhost" to `ALLOWED_HOSTS` in its settings.'],
  [
    /Blocked hosts?: /,
    "Rails",
    'Add `config.hosts << ".localhost"` to config/environments/development.rb.',
  ],
];
const LOOKED_AT = 64 * 1024;

/** Whether an answer with this status can be one that refuses a host. */
export function mayRefuseHost(status: number): boolean {
  return status === 403 || status === 400;
}

/** @param begin the first bytes of the body */
export function findHostRefusal(hostname: string, begin: Buffer): ProblemFields | undefined {
  const text = begin.toString("latin1", 0, LOOKED_AT);
  const refusal = REFUSALS.find(([says]) => says.test(text));
  if (refusal === undefined) return undefined;
  const [, server, remedy] = refusal;
  return hostBlocked(hostname, { server, remedy }).toFields();
}
