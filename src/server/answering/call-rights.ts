import { z } from "zod";

import type { Right } from "../../access/access.ts";
import type { CallName } from "../../protocol/calls.ts";
import { mayDo } from "../session/caller.ts";
import type { Caller } from "../session/caller.ts";
import { ownerOnly } from "../session/problems.ts";
import { scopeTooSmall } from "./problems.ts";

/** `anyone`: whoever has a token. `owner`: nobody from afar, as it is about this machine's own folders, ports or programs. */
type Rule = { readonly right: Right | "anyone" | "owner"; readonly isWrite: boolean };

const ANYONE: Rule = { right: "anyone", isWrite: false };
const READ: Rule = { right: "read", isWrite: false };
const WRITE: Rule = { right: "write", isWrite: true };
/** A part of something that is written down as a whole. */
const WRITES_LATER: Rule = { right: "write", isWrite: false };
const ADMIN: Rule = { right: "admin", isWrite: true };
const ADMIN_READS: Rule = { right: "admin", isWrite: false };
const OWNER: Rule = { right: "owner", isWrite: true };
const OWNER_READS: Rule = { right: "owner", isWrite: false };

/** What each call asks of its caller, and whether it is written down as a write. */
const RULES: Readonly<Record<CallName, Rule>> = {
  "server.status": ANYONE,
  "server.stop": OWNER,
  "server.leave": OWNER,
  "server.authority": ANYONE,
  "server.domain": OWNER,
  "app.create": OWNER,
  "app.list": ANYONE,
  "app.delete": ADMIN,
  "app.find": OWNER_READS,
  "environment.create": WRITE,
  "environment.list": READ,
  "environment.use": READ,
  "environment.show": READ,
  "environment.delete": WRITE,
  "environment.reset": WRITE,
  "environment.start": WRITE,
  "environment.stop": WRITE,
  "environment.verify": WRITE,
  "environment.front": OWNER,
  "environment.attend": WRITES_LATER,
  // It opens secrets.
  "environment.variables": WRITE,
  "environment.logs": READ,
  "environment.develop": WRITE,
  "variable.list": READ,
  "variable.set": WRITE,
  "variable.delete": WRITE,
  "variable.import": WRITE,
  // SQL can write.
  "database.query": WRITE,
  "database.size": READ,
  // They name a folder of the machine.
  "files.status": OWNER_READS,
  "files.push": OWNER,
  "files.pull": OWNER,
  // Of a workspace they name a folder of the machine too, and refuse it by themselves.
  "files.trash": READ,
  "files.restore": WRITE,
  "tree.open": READ,
  "tree.look": READ,
  "tree.answer": READ,
  "tree.read": READ,
  "tree.pieces": READ,
  "tree.commit": READ,
  "tree.wait": READ,
  "tree.close": READ,
  "tree.stage": WRITES_LATER,
  "tree.apply": WRITE,
  "tree.arrived": WRITES_LATER,
  "access.whoami": ANYONE,
  "access.audit": ADMIN_READS,
  "user.add": ADMIN,
  "user.list": ADMIN_READS,
  "user.remove": ADMIN,
  "token.create": ADMIN,
  "token.list": ADMIN_READS,
  "token.revoke": ADMIN,
  doctor: ADMIN,
};

const aboutApp = z.object({ app: z.string().nullable().default(null) });

/** @throws `owner_only`, `scope_too_small` */
export function assertAllowed(caller: Caller, name: CallName, input: unknown): void {
  if (caller.kind === "owner") return;
  const { right } = RULES[name];
  if (right === "owner") throw ownerOnly(name);
  if (right === "anyone") return;
  // What is no app's name is refused by the call itself, which reads it again.
  const app = aboutApp.safeParse(input).data?.app ?? null;
  if (!mayDo(caller, { right, app })) throw scopeTooSmall(name, { right, app });
}

export function isWrite(name: CallName): boolean {
  return RULES[name].isWrite;
}
