import type { Command } from "./session/command.ts";

/** Every command by its name, loaded when it is wanted: the others would only make it start later. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import("./commands/init.ts")).init,
  detect: async () => (await import("./commands/detect.ts")).detect,
  "app list": async () => (await import("./commands/app-list.ts")).appList,
  "app delete": async () => (await import("./commands/app-delete.ts")).appDelete,
  "env create": async () => (await import("./commands/env-create.ts")).envCreate,
  "env list": async () => (await import("./commands/env-list.ts")).envList,
  "env show": async () => (await import("./commands/env-show.ts")).envShow,
  "env use": async () => (await import("./commands/env-use.ts")).envUse,
  "env start": async () => (await import("./commands/env-start.ts")).envStart,
  "env unpause": async () => (await import("./commands/env-unpause.ts")).envUnpause,
  "env stop": async () => (await import("./commands/env-stop.ts")).envStop,
  "env verify": async () => (await import("./commands/env-verify.ts")).envVerify,
  "env front": async () => (await import("./commands/env-front.ts")).envFront,
  "env reset": async () => (await import("./commands/env-reset.ts")).envReset,
  "env fork": async () => (await import("./commands/env-fork.ts")).envFork,
  "env delete": async () => (await import("./commands/env-delete.ts")).envDelete,
  top: async () => (await import("./commands/top.ts")).top,
  dev: async () => (await import("./commands/dev.ts")).dev,
  logs: async () => (await import("./commands/logs.ts")).logs,
  open: async () => (await import("./commands/open.ts")).open,
  run: async () => (await import("./commands/run.ts")).run,
  status: async () => (await import("./commands/status.ts")).status,
  push: async () => (await import("./commands/push.ts")).push,
  pull: async () => (await import("./commands/pull.ts")).pull,
  "trash list": async () => (await import("./commands/trash-list.ts")).trashList,
  "trash restore": async () => (await import("./commands/trash-restore.ts")).trashRestore,
  "var list": async () => (await import("./commands/var-list.ts")).varList,
  "var get": async () => (await import("./commands/var-get.ts")).varGet,
  "var set": async () => (await import("./commands/var-set.ts")).varSet,
  "var delete": async () => (await import("./commands/var-delete.ts")).varDelete,
  "var import": async () => (await import("./commands/var-import.ts")).varImport,
  "db url": async () => (await import("./commands/db-url.ts")).dbUrl,
  "db query": async () => (await import("./commands/db-query.ts")).dbQuery,
  "db size": async () => (await import("./commands/db-size.ts")).dbSize,
  "db tunnel": async () => (await import("./commands/db-tunnel.ts")).dbTunnel,
  "db psql": async () => (await import("./commands/db-psql.ts")).dbPsql,
  login: async () => (await import("./commands/login.ts")).login,
  logout: async () => (await import("./commands/logout.ts")).logout,
  whoami: async () => (await import("./commands/whoami.ts")).whoami,
  "user add": async () => (await import("./commands/user-add.ts")).userAdd,
  "user list": async () => (await import("./commands/user-list.ts")).userList,
  "user remove": async () => (await import("./commands/user-remove.ts")).userRemove,
  "token create": async () => (await import("./commands/token-create.ts")).tokenCreate,
  "token list": async () => (await import("./commands/token-list.ts")).tokenList,
  "token revoke": async () => (await import("./commands/token-revoke.ts")).tokenRevoke,
  audit: async () => (await import("./commands/audit.ts")).audit,
  "server start": async () => (await import("./commands/server-start.ts")).serverStart,
  "server stop": async () => (await import("./commands/server-stop.ts")).serverStop,
  "server status": async () => (await import("./commands/server-status.ts")).serverStatus,
  "server restart": async () => (await import("./commands/server-restart.ts")).serverRestart,
  "server logs": async () => (await import("./commands/server-logs.ts")).serverLogs,
  "server domain": async () => (await import("./commands/server-domain.ts")).serverDomain,
  "server storage": async () => (await import("./commands/server-storage.ts")).serverStorage,
  trust: async () => (await import("./commands/trust.ts")).trust,
  serve: async () => (await import("./commands/serve.ts")).serve,
  doctor: async () => (await import("./commands/doctor.ts")).doctor,
  completion: async () => (await import("./commands/completion.ts")).completion,
  version: async () => (await import("./commands/version.ts")).version,
};

/** The list of commands as it is read: what belongs together, the first things first. */
export const SECTIONS: readonly (readonly [title: string, first: string, last: string])[] = [
  ["Environments", "init", "top"],
  ["Work in one", "dev", "trash restore"],
  ["Variables", "var list", "var import"],
  ["Database", "db url", "db psql"],
  ["Servers elsewhere", "login", "audit"],
  ["Server", "server start", "version"],
];

/** What fingers know from elsewhere, by the word that it stands for. */
export const ALIASES: Readonly<Record<string, string>> = {
  envs: "env",
  vars: "var",
  apps: "app",
  log: "logs",
};

/** Likewise, of a command's second word. */
export const VERB_ALIASES: Readonly<Record<string, string>> = { ls: "list", rm: "delete" };
