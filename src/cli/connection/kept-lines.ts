import { Agent } from "node:http";
import type { Socket } from "node:net";

import { systemClock } from "../../base/clock.ts";
import type { CallName } from "../../protocol/calls.ts";
import type { RemoteServer } from "../terminal/context.ts";

/**
 * What may be asked again where a kept connection turns out to have gone before anything was answered: it reads alone, comes to
 * the same twice, or bears a number by which the server knows that it has been asked it before. All else gets a new connection.
 */
const REPEATABLE: ReadonlySet<CallName> = new Set([
  "server.status",
  "server.authority",
  "app.list",
  "environment.list",
  "environment.use",
  "environment.show",
  "environment.attend",
  "environment.variables",
  "environment.logs",
  "variable.list",
  "database.size",
  "files.trash",
  "tree.open",
  "tree.look",
  "tree.answer",
  "tree.read",
  "tree.pieces",
  "tree.stage",
  "tree.apply",
  "tree.commit",
  "tree.wait",
  "tree.close",
  "access.whoami",
  "access.audit",
  "user.list",
  "token.list",
]);

export function isRepeatable(name: CallName): boolean {
  return REPEATABLE.has(name);
}

/** Less than servers, proxies and networks let a connection idle; by the clock on the wall, since machines sleep. */
const FRESH_MS = 20_000;
/** A command that asks several things at once. */
const MOST_IDLE = 4;

/** Each is opened, and has proved whose it is, before it comes here. Those that are idle keep no process up. */
class ProvedAgent extends Agent {
  #offered: Socket | undefined;

  constructor() {
    super({ keepAlive: true, maxFreeSockets: MOST_IDLE });
  }

  get hasIdle(): boolean {
    return this.#idle().length > 0;
  }

  /** For the next request, unless another has become idle meanwhile. */
  offer(socket: Socket): void {
    this.#offered?.destroy();
    this.#offered = socket.unref();
  }

  forgetIdle(): void {
    this.#offered?.destroy();
    for (const socket of this.#idle()) socket.destroy();
  }

  override createConnection(): Socket | undefined {
    const socket = this.#offered?.ref();
    this.#offered = undefined;
    return socket;
  }

  #idle(): readonly Socket[] {
    return Object.values(this.freeSockets)
      .flatMap((sockets) => sockets ?? [])
      .filter(({ destroyed }) => !destroyed);
  }
}

/** The connections to one server that this command keeps for what it asks next. */
export class KeptLines {
  #agent = new ProvedAgent();
  #usedMs = systemClock.now();

  /** What a request is made with at once. @param open a new connection, which has proved whose it is */
  async agent(open: () => Promise<Socket>): Promise<Agent> {
    if (Math.abs(systemClock.now() - this.#usedMs) > FRESH_MS) this.forget();
    this.#usedMs = systemClock.now();
    if (!this.#agent.hasIdle) this.#agent.offer(await open());
    return this.#agent;
  }

  /** What is in use goes on. */
  forget(): void {
    this.#agent.forgetIdle();
    this.#agent = new ProvedAgent();
  }
}

const kept = new WeakMap<RemoteServer, KeptLines>();

/** Of this login: no other one's requests go by them. */
export function keptLinesOf(server: RemoteServer): KeptLines {
  const found = kept.get(server) ?? new KeptLines();
  kept.set(server, found);
  return found;
}
