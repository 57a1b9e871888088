import { Problem } from "../base/problem.ts";

const MOST_SHOWN = 60;

/** One answer for every token that does not do: what is wrong with it is nobody's business. */
export function tokenRefused(): Problem {
  return new Problem({
    code: "token_refused",
    message:
      "The server does not take this token: it was revoked, has expired, or is of another server.",
    remedy: "Ask whoever keeps the server for a new one, and give it to `ramet login URL`.",
  });
}

export function userNameInvalid(name: string): Problem {
  return new Problem({
    code: "user_name_invalid",
    message: `${JSON.stringify(name.slice(0, MOST_SHOWN))} cannot be a user's name.`,
    remedy: "Use 1 to 64 of a-z, 0-9, dot, hyphen, underscore and @, with a letter or digit first.",
  });
}

export function userExists(name: string): Problem {
  return new Problem({
    code: "user_exists",
    message: `There is a user ${name} already.`,
    remedy: `Give them a token with \`ramet token create ${name}\`, or choose another name.`,
  });
}

export function userUnknown(name: string, known: readonly string[]): Problem {
  const others = known.length === 0 ? "there is none yet" : `there is ${known.join(", ")}`;
  return new Problem({
    code: "user_unknown",
    message: `There is no user ${JSON.stringify(name.slice(0, MOST_SHOWN))}; ${others.slice(0, 300)}.`,
    remedy: "Make one with `ramet user add NAME`.",
  });
}

export function tokenUnknown(id: string): Problem {
  return new Problem({
    code: "token_unknown",
    message: `There is no token ${JSON.stringify(id.slice(0, MOST_SHOWN))}.`,
    remedy: "List them with `ramet token list`; a token is named by its ID, never by its text.",
  });
}

export function userNotAdmin(name: string): Problem {
  return new Problem({
    code: "user_not_admin",
    message: `${name} is no administrator, so none of their tokens can be an administrator's.`,
    remedy: "Leave out --admin, or make an administrator with `ramet user add NAME --admin`.",
  });
}

export function registerFull(what: "users" | "tokens", most: number): Problem {
  return new Problem({
    code: "register_full",
    message: `There are ${most} ${what}, which is as many as a server keeps.`,
    remedy: "Remove what nobody uses, with `ramet user remove` or `ramet token revoke`.",
  });
}
