import { Problem } from "../../base/problem.ts";

export function appUnclear(apps: readonly string[]): Problem {
  const isNone = apps.length === 0;
  return new Problem({
    code: "app_unclear",
    message: isNone ? "There is no app yet." : "This folder does not say which app is meant.",
    remedy: isNone
      ? "Make one with `ramet init` in the app's folder."
      : `Name it with --app; there is ${apps.join(", ")}.`,
  });
}

export function environmentUnbound(): Problem {
  return new Problem({
    code: "environment_unbound",
    message: "This workspace is not bound to an environment.",
    remedy: "Bind it with `ramet env use NAME`, or name the environment with --env.",
  });
}

export function bindingStale(environment: string): Problem {
  return new Problem({
    code: "binding_stale",
    message: `This workspace is bound to ${environment}, which does not exist any more.`,
    remedy:
      "Bind it to another with `ramet env use NAME`, or make one with `ramet env create NAME --use`.",
  });
}

export function bindingElsewhere(environment: string, home: string): Problem {
  const isAfar = home.startsWith("https://") || home.startsWith("http://");
  const way = isAfar ? `Log in there with \`ramet login ${home}\`` : `Set RAMET_HOME=${home}`;
  return new Problem({
    code: "binding_elsewhere",
    message: `This workspace is bound to ${environment} of the server ${isAfar ? "at" : "in"} ${home}, which is another.`,
    remedy: `${way}, or bind the workspace to an environment of this one with \`ramet env use NAME\`.`,
  });
}

export function environmentOfOtherFolder(environment: string, folder: string): Problem {
  return new Problem({
    code: "environment_of_other_folder",
    message: `${environment} runs on the folder ${folder}, so no other workspace can be bound to it.`,
    remedy: `Work in ${folder}, or fork it with \`ramet env create NAME --use\`.`,
  });
}

export function appFolderMissing(app: string, inner: string, root: string): Problem {
  return new Problem({
    code: "app_folder_missing",
    message: `${app} is the folder ${inner} of its repository, and ${root} has none.`,
    remedy: "Check out a commit that has that folder, or leave out --use.",
  });
}

export function workspaceBound(environment: string, root: string): Problem {
  return new Problem({
    code: "workspace_bound",
    message: `${root} is bound to ${environment}, and a workspace is one environment's.`,
    remedy:
      "Run both by one ramet.json in the repository's root, or make the other app in a worktree or clone of its own.",
  });
}

export function variableSecret(name: string): Problem {
  return new Problem({
    code: "variable_secret",
    message: `${name} is a secret, which is used and never read back.`,
    remedy:
      "Set it anew with `ramet var set NAME --secret`, or use it with `ramet run -- COMMAND`.",
  });
}

export function addressMissing(environment: string, what: "URL" | "database"): Problem {
  return new Problem({
    code: "address_missing",
    message: `${environment} has no ${what} now.`,
    remedy: `See why with \`ramet env show\`, or start it with \`ramet env start\`.`,
  });
}

/** Which of both it is, is not told to whoever may only read. */
export function databaseHidden(environment: string): Problem {
  return new Problem({
    code: "database_hidden",
    message: `${environment} shows no database here: it has none now, or this token may only read.`,
    remedy:
      "See with `ramet whoami` what the token is good for, and with `ramet env show` how the environment is.",
  });
}

export function urlNowhere(environment: string): Problem {
  return new Problem({
    code: "url_nowhere",
    message: `${environment} has no URL that leads to it from this machine: its server has no domain for environments, or it is not ready.`,
    remedy:
      "See with `ramet env show` how it is; a domain is given to the server on its own machine, with `ramet server domain NAME`.",
  });
}

export function psqlMissing(): Problem {
  return new Problem({
    code: "tool_missing",
    message: "psql, PostgreSQL's own client, is not on the PATH.",
    remedy: "Install it (package postgresql-client, or libpq), or use `ramet db query SQL`.",
  });
}

/** No store of this machine could be changed; each says why. */
export function trustNowhere(
  stores: readonly { readonly store: string; readonly why: string | null }[],
): Problem {
  const reasons = stores.map(({ store, why }) => `  ${store}: ${why ?? "it was refused"}`);
  return new Problem({
    code: "trust_unchanged",
    message: `Nothing on this machine could be changed:\n${reasons.join("\n")}`,
    remedy: "Do what one of these lines says, then `ramet trust` again.",
  });
}

export function appMadeElsewhere(url: string): Problem {
  return new Problem({
    code: "app_made_elsewhere",
    message: `An app of ${url} is made where that server runs: its first environment is a folder of that machine.`,
    remedy:
      "There, clone the repository and `ramet init`; here, fork it with `ramet env create NAME --use --app APP`. `ramet logout` goes back to this machine's own server.",
  });
}

export function tunnelNeedless(): Problem {
  return new Problem({
    code: "tunnel_needless",
    message: "The server is this machine's own, where its databases are reached without a tunnel.",
    remedy: "Print a database's URL with `ramet db url`.",
  });
}

export function tunnelNeeded(environment: string): Problem {
  return new Problem({
    code: "tunnel_needed",
    message: `The database of ${environment} is on another machine, which it is reached on by a tunnel alone.`,
    remedy:
      "Open one with `ramet db tunnel`, which prints the URL; `ramet db psql` and `ramet run` open their own.",
  });
}

export function ownerNeeded(home: string): Problem {
  return new Problem({
    code: "owner_needed",
    message: `What runs in ${home} belongs to another user, and no server of that user is there to end it.`,
    remedy: "Start it as that user with `ramet server start`, then do this again.",
  });
}
