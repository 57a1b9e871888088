import {
  parseFields,
  parseList,
  parseNullable,
  parsePort,
  parseText,
} from "../../base/parse-fields.ts";

/** How those in a network of their own reach the world outside. */
export type WayOutPlan = {
  /** Whoever dials for them listens here. */
  readonly socket: string;
  /** Names that may be reached, with those below them; null: all. */
  readonly hosts: readonly string[] | null;
  /** Ports on which the environment's own processes listen. */
  readonly taken: readonly number[];
};

/** @throws Error when it is none */
export function parseWayOut(value: unknown): WayOutPlan {
  const fields = parseFields(value, "wayOut");
  return {
    socket: parseText(fields["socket"], "socket"),
    hosts: parseNullable(fields["hosts"], (hosts) =>
      parseList(hosts, (host) => parseText(host, "host")),
    ),
    taken: parseList(fields["taken"], parsePort),
  };
}
