import type { EnvironmentView } from "../../protocol/schemas.ts";
import { titleOf } from "../text/title.ts";
import { addressMissing, databaseHidden, urlNowhere } from "./problems.ts";
import type { Session } from "./session.ts";

type Asking = Pick<Session, "isAfar">;
type Shown = Pick<EnvironmentView, "app" | "name" | "url" | "databaseUrl">;

/** Password included. @throws `address_missing`, `database_hidden` */
export function requireDatabaseUrl({ isAfar }: Asking, environment: Shown): string {
  const { databaseUrl } = environment;
  if (databaseUrl !== null) return databaseUrl;
  throw isAfar
    ? databaseHidden(titleOf(environment))
    : addressMissing(titleOf(environment), "database");
}

/** One that leads to it from this machine. @throws `address_missing`, `url_nowhere` */
export function requireUrl({ isAfar }: Asking, environment: Shown): string {
  if (environment.url !== null) return environment.url;
  throw isAfar ? urlNowhere(titleOf(environment)) : addressMissing(titleOf(environment), "URL");
}
