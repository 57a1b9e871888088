import { Problem } from "../base/problem.ts";
import { DEVELOPMENT, parseAppName, parseEnvironmentName } from "./name.ts";
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

/** The reverse of `formatHost`; undefined for every other name. */
export function findAddress(host: string): Address | undefined {
  const labels = host.toLowerCase().split(".");
  if (labels.pop() !== "localhost" || labels.length < 1 || labels.length > 2) return undefined;
  const [app, environment, ...rest] = (labels.pop() ?? "").split("--");
  if (app === undefined || environment === undefined || rest.length > 0) return undefined;
  try {
    return {
      app: parseAppName(app),
      environment: parseEnvironmentName(environment),
      process: labels[0] ?? null,
    };
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

/** What a fork is made from when nothing else is said. */
export const DEFAULT_SOURCE = DEVELOPMENT;
