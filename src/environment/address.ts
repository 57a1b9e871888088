import { Problem } from "../base/problem.ts";
import { parseAppName, parseEnvironmentName } from "./name.ts";
import type { AppName, EnvironmentName } from "./name.ts";

/** Whose address a host name is. `process` null: the environment's first process. */
export type Address = {
  readonly app: AppName;
  readonly environment: EnvironmentName;
  readonly process: string | null;
};

/** `shop--development.localhost`, or `api.shop--development.localhost` for a second process: one site, one cookie jar. */
export function formatHost({ app, environment, process }: Address): string {
  const site = `${app}--${environment}.localhost`;
  return process === null ? site : `${process}.${site}`;
}

const ADDRESS =
  /^(?:(?<process>[a-z0-9-]+)\.)?(?<app>[a-z0-9-]+?)--(?<environment>[a-z0-9-]+)\.localhost$/;

/**
 * The same below a domain of the user's own, where one wildcard certificate is to do for all: `shop--development--api.DOMAIN`.
 * undefined: it is nobody's.
 */
export function findAddressBelow(domain: string, host: string): Address | undefined {
  const name = host.toLowerCase();
  if (!name.endsWith(`.${domain}`)) return undefined;
  const label = name.slice(0, -domain.length - 1);
  const [app = "", environment = "", process = null, ...more] = label.split("--");
  const site = findAddress(`${app}--${environment}.localhost`);
  const isOdd = label.includes(".") || more.length > 0 || process === "";
  return site === undefined || isOdd ? undefined : { ...site, process };
}

/** The reverse of `formatHost`; undefined for every other name. */
export function findAddress(host: string): Address | undefined {
  const match = ADDRESS.exec(host.toLowerCase());
  if (match === null) return undefined;
  const { process = null, app = "", environment = "" } = match.groups ?? {};
  try {
    return { app: parseAppName(app), environment: parseEnvironmentName(environment), process };
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}
