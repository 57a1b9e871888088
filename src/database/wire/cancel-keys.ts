import { randomBytes, randomInt, timingSafeEqual } from "node:crypto";

export type CancelKey = { readonly pid: number; readonly key: Buffer };
/** A session of one server, as that server knows it. */
export type Session = CancelKey & { readonly socket: string };
export type IssuedKey = CancelKey & { forget(): void };

const PID_LIMIT = 2 ** 31;

/** Pids of different servers collide and a server's own key is its secret: clients are given keys of ours. */
export class CancelKeys {
  readonly #sessions = new Map<number, { readonly key: Buffer; readonly session: Session }>();

  /** As long as the server's: how long a key may be depends on the protocol's version. */
  issue(session: Session): IssuedKey {
    const pid = this.#createPid();
    const key = randomBytes(session.key.length);
    this.#sessions.set(pid, { key, session });
    return { pid, key, forget: () => this.#sessions.delete(pid) };
  }

  find({ pid, key }: CancelKey): Session | undefined {
    const issued = this.#sessions.get(pid);
    if (issued === undefined || issued.key.length !== key.length) return undefined;
    return timingSafeEqual(issued.key, key) ? issued.session : undefined;
  }

  #createPid(): number {
    let pid = randomInt(1, PID_LIMIT);
    while (this.#sessions.has(pid)) pid = randomInt(1, PID_LIMIT);
    return pid;
  }
}
