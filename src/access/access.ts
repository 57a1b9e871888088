/** Who may ask this server from afar, for what, and what they did: users, tokens, and the log of their writes. */
import path from "node:path";

import type { Clock } from "../base/clock.ts";
import { isoTime } from "../base/clock.ts";
import { KeyedLock } from "../base/keyed-lock.ts";
import type { Problem } from "../base/problem.ts";
import * as audit from "./audit-log.ts";
import * as problems from "./problems.ts";
import type * as files from "./register-file.ts";
import { readRegister, writeRegister } from "./register-file.ts";
import * as scopes from "./scope.ts";
import { createTokenText, findTokenId, hashToken, isSameHash } from "./token-text.ts";

export type Right = scopes.Right;
export type Scope = scopes.Scope;
export type Need = scopes.Need;
export type AuditEntry = audit.AuditEntry;
export type UserRecord = files.UserRecord;
/** A token as it is listed: nothing of its text, and nothing that its text could be found by. */
export type TokenView = Omit<files.TokenRecord, "hash">;

export type NewToken = Scope & {
  readonly user: string;
  readonly label: string | null;
  /** null: for ever. */
  readonly lifeMs: number | null;
};

/** What a caller has shown with a token that is good. */
export type Grant = {
  readonly token: TokenView;
  /** Aborted as soon as the token is good no more. */
  readonly over: AbortSignal;
};

const USER_NAME = /^[a-z0-9][a-z0-9._@-]{0,63}$/;
const MOST_USERS = 1_000;
const MOST_TOKENS = 10_000;
/** A timer's longest; whoever listens for longer is asked again then. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function allows(scope: Scope, need: Need): boolean {
  return scopes.allows(scope, need);
}

export function reaches(scope: Scope, app: string): boolean {
  return scopes.reaches(scope, app);
}

/** What whoever shows a token is told that is good no more. */
export function refuseToken(): Problem {
  return problems.tokenRefused();
}

/** The users and tokens of one home. What it answers is on the disk already; what it has forgotten is good no more. */
export class Access {
  readonly audit: audit.AuditLog;
  readonly #file: string;
  readonly #clock: Clock;
  readonly #lock = new KeyedLock();
  /** By token: ends what goes on in its name. */
  readonly #under = new Map<string, Under>();
  #register: files.Register = { users: [], tokens: [] };

  constructor(folder: string, clock: Clock) {
    this.#file = path.join(folder, "access.json");
    this.#clock = clock;
    this.audit = new audit.AuditLog(path.join(folder, "audit.jsonl"));
  }

  async start(): Promise<void> {
    this.#register = await readRegister(this.#file);
  }

  users(): readonly UserRecord[] {
    return this.#register.users;
  }

  /** Those that are good no more are not among them. */
  tokens(): readonly TokenView[] {
    return this.#register.tokens.filter((token) => this.#isGood(token)).map(withoutHash);
  }

  /** @throws `token_refused` */
  enter(text: string): Grant {
    const id = findTokenId(text) ?? "";
    const hash = hashToken(text);
    const token = this.#register.tokens.find((one) => one.id === id);
    if (token === undefined || !isSameHash(hash, token.hash) || !this.#isGood(token))
      throw problems.tokenRefused();
    return { token: withoutHash(token), over: this.#untilOver(token) };
  }

  /** @throws `user_name_invalid`, `user_exists` */
  async addUser(name: string, isAdmin: boolean): Promise<UserRecord> {
    if (!USER_NAME.test(name)) throw problems.userNameInvalid(name);
    const user = { name, isAdmin, createdAt: isoTime(this.#clock) };
    await this.#change(({ users, tokens }) => {
      if (users.some((one) => one.name === name)) throw problems.userExists(name);
      if (users.length >= MOST_USERS) throw problems.registerFull("users", MOST_USERS);
      return { users: [...users, user], tokens };
    });
    return user;
  }

  /** With all their tokens, which are good no more when this resolves. @throws `user_unknown` */
  async removeUser(name: string): Promise<readonly TokenView[]> {
    const revoked: TokenView[] = [];
    await this.#change(({ users, tokens }) => {
      this.#requireUser(name);
      revoked.push(...tokens.filter(({ user }) => user === name).map(withoutHash));
      return {
        users: users.filter((one) => one.name !== name),
        tokens: tokens.filter(({ user }) => user !== name),
      };
    });
    return revoked;
  }

  /** Its text is told this once, and kept nowhere. @throws `user_unknown`, `user_not_admin` */
  async createToken(wanted: NewToken): Promise<{ token: TokenView; text: string }> {
    const { id, text, hash } = createTokenText();
    const { user, label, apps, right, lifeMs } = wanted;
    const now = this.#clock.now();
    const times = {
      createdAt: new Date(now).toISOString(),
      expiresAt: lifeMs === null ? null : new Date(now + lifeMs).toISOString(),
    };
    const listed = apps === null ? null : [...apps];
    const token = { id, user, label, hash, apps: listed, right, ...times };
    await this.#change(({ users, tokens }) => {
      if (right === "admin" && !this.#requireUser(user).isAdmin) throw problems.userNotAdmin(user);
      this.#requireUser(user);
      // Those that have expired make room.
      const good = tokens.filter((one) => this.#isGood(one));
      if (good.length >= MOST_TOKENS) throw problems.registerFull("tokens", MOST_TOKENS);
      return { users, tokens: [...good, token] };
    });
    return { token: withoutHash(token), text };
  }

  /** What goes on in its name is cut short. @throws `token_unknown` */
  async revokeToken(id: string): Promise<TokenView> {
    const found = this.#register.tokens.find((one) => one.id === id);
    if (found === undefined) throw problems.tokenUnknown(id);
    await this.#change(({ users, tokens }) => ({
      users,
      tokens: tokens.filter((one) => one.id !== id),
    }));
    return withoutHash(found);
  }

  /** What is forgotten is good no more from the instant on at which that is on the disk. */
  async #change(plan: (register: files.Register) => files.Register): Promise<void> {
    await this.#lock.run("register", async () => {
      const next = plan(this.#register);
      await writeRegister(this.#file, next);
      this.#register = next;
      const left = new Set(next.tokens.map(({ id }) => id));
      for (const [id, { revoked }] of this.#under) {
        if (left.has(id)) continue;
        this.#under.delete(id);
        revoked.abort();
      }
    });
  }

  #requireUser(name: string): UserRecord {
    const { users } = this.#register;
    const user = users.find((one) => one.name === name);
    if (user !== undefined) return user;
    throw problems.userUnknown(
      name,
      users.map((one) => one.name),
    );
  }

  #isGood({ expiresAt }: TokenView): boolean {
    return expiresAt === null || Date.parse(expiresAt) > this.#clock.now();
  }

  /** One for all that goes on in its name: a timer for each call would stay until the token's end. */
  #untilOver({ id, expiresAt }: TokenView): AbortSignal {
    const known = this.#under.get(id);
    if (known !== undefined && !known.over.aborted) return known.over;
    const leftMs = expiresAt === null ? null : Date.parse(expiresAt) - this.#clock.now();
    const under = openUnder(leftMs);
    this.#under.set(id, under);
    return under.over;
  }
}

/** What goes on in a token's name is cut short by either; the limit is held, so that it comes. */
type Under = {
  readonly revoked: AbortController;
  readonly limit: AbortSignal | null;
  readonly over: AbortSignal;
};

function openUnder(leftMs: number | null): Under {
  const revoked = new AbortController();
  if (leftMs === null) return { revoked, limit: null, over: revoked.signal };
  const limit = AbortSignal.timeout(Math.min(leftMs, LONGEST_TIMER_MS));
  return { revoked, limit, over: AbortSignal.any([revoked.signal, limit]) };
}

export async function openAccess(folder: string, clock: Clock): Promise<Access> {
  const access = new Access(folder, clock);
  await access.start();
  return access;
}

function withoutHash(record: files.TokenRecord): TokenView {
  const { id, user, label, apps, right, createdAt, expiresAt } = record;
  return { id, user, label, apps, right, createdAt, expiresAt };
}
