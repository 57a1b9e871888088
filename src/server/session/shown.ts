import type { EnvironmentView } from "../../protocol/schemas.ts";
import { mayDo } from "./caller.ts";
import type { Session } from "./session.ts";

/**
 * An environment as its caller may see it. From afar its URL is the one below the server's own domain, as `localhost` is
 * another machine there; and a database's password is for those who may write.
 */
export function showTo<Shown extends EnvironmentView>(
  { caller }: Pick<Session, "caller">,
  environment: Shown,
): Shown {
  if (caller.kind === "owner") return environment;
  const { app, domainUrl: url, databaseUrl } = environment;
  return {
    ...environment,
    url,
    databaseUrl: mayDo(caller, { right: "write", app }) ? databaseUrl : null,
  };
}
