import type { Brand } from "../base/brand.ts";
import { Problem, quote } from "../base/problem.ts";

/** A DNS label that names an environment within its app. */
export type EnvironmentName = Brand<"EnvironmentName">;
/** A DNS label that names an app. */
export type AppName = Brand<"AppName">;

/** `<app>--<env>` must fit a DNS label of 63 characters: 24 + 2 + 32. */
export const MAX_APP_NAME = 24;
export const MAX_ENVIRONMENT_NAME = 32;

/** Names that mean something else in an address or a command. */
const RESERVED = new Set(["api", "localhost", "ramet", "www", "all", "server"]);

/** The environment that `init` makes and others are forked from. */
export const DEVELOPMENT = parseEnvironmentName("development");

/** Lower-cases, as `ggt` does. @throws `name_invalid` */
export function parseEnvironmentName(raw: string): EnvironmentName {
  const name = raw.toLowerCase();
  assertLabel(name, raw, { what: "environment", most: MAX_ENVIRONMENT_NAME });
  if (isEnvironmentName(name)) return name;
  throw new Error("A checked name has its brand.");
}

/** @throws `name_invalid` */
export function parseAppName(raw: string): AppName {
  const name = raw.toLowerCase();
  assertLabel(name, raw, { what: "app", most: MAX_APP_NAME });
  if (isAppName(name)) return name;
  throw new Error("A checked name has its brand.");
}

/** The nearest valid app name to what a folder or a package is called; `app` when nothing is left of it. */
export function suggestAppName(text: string): AppName {
  const label = text
    .toLowerCase()
    .replace(/^@[^/]*\//, "")
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, MAX_APP_NAME)
    .replace(/^-+|-+$/g, "");
  return isAppName(label)
    ? label
    : parseAppName(`${label}-app`.replace(/^-+/, "").slice(0, MAX_APP_NAME));
}

function isEnvironmentName(name: string): name is EnvironmentName {
  return reasonAgainst(name, MAX_ENVIRONMENT_NAME) === undefined;
}

function isAppName(name: string): name is AppName {
  return reasonAgainst(name, MAX_APP_NAME) === undefined;
}

function assertLabel(name: string, raw: string, rule: { what: string; most: number }): void {
  const reason = reasonAgainst(name, rule.most);
  if (reason === undefined) return;
  throw new Problem({
    code: "name_invalid",
    message: `${quote(raw)} cannot name an ${rule.what}: ${reason}.`,
    remedy: `Use 1 to ${rule.most} of a-z, 0-9 and single hyphens, starting and ending with a letter or digit.`,
  });
}

function reasonAgainst(name: string, most: number): string | undefined {
  if (name === "") return "it is empty";
  if (name.length > most) return `it is longer than ${most} characters`;
  if (!/^[a-z0-9-]+$/.test(name)) return "it has characters other than a-z, 0-9 and -";
  if (name.startsWith("-") || name.endsWith("-")) return "it starts or ends with a hyphen";
  if (name.includes("--"))
    return "it has two hyphens in a row, which separate app and environment in a URL";
  if (RESERVED.has(name)) return "it is reserved";
  return undefined;
}
