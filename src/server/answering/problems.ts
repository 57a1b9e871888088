import type { Need } from "../../access/access.ts";
import { Problem } from "../../base/problem.ts";

export function callUnknown(name: string): Problem {
  return new Problem({
    code: "call_unknown",
    message: `The server knows no call ${name.slice(0, 60)}.`,
    remedy: "Bring the CLI and the server to one version: `ramet server restart`.",
  });
}

export function tokenWrong(): Problem {
  return new Problem({
    code: "token_wrong",
    message: "The call does not carry this server's token.",
    remedy: "Use the same RAMET_HOME as the server, and read its token anew.",
  });
}

export function scopeTooSmall(call: string, { right, app }: Need): Problem {
  const where = app === null ? "" : ` on ${app.slice(0, 60)}`;
  return new Problem({
    code: "scope_too_small",
    message: `This token is not good for ${call}${where}, which takes the right to ${right === "admin" ? "administer" : right}.`,
    remedy:
      "See what it is good for with `ramet whoami`; whoever keeps the server can give you another.",
  });
}
