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

/** One connection, which has proved whose it is, for one request after another. Idle, it keeps no process up. */
class ProvedAgent extends Agent {
  #first: Socket | undefined;

  /** @param onFree called when a request has left it for the next */
  constructor(first: Socket, onFree: () => void) {
    super({ keepAlive: true, maxFreeSockets: 1 });
    this.#first = first;
    this.on("free", onFree);
  }

  isIdle(): boolean {
    return this.#idle().length > 0;
  }

  override createConnection(): Socket {
    const socket = this.#first;
    this.#first = undefined;
    // It went between two requests, which is what it says where it goes during one.
    if (socket === undefined) throw Object.assign(new Error("It has gone"), { code: "ECONNRESET" });
    return socket;
  }

  close(): void {
    for (const socket of this.#idle()) socket.destroy();
  }

  #idle(): readonly Socket[] {
    return Object.values(this.freeSockets)
      .flatMap((sockets) => sockets ?? [])
      .filter(({ destroyed }) => !destroyed);
  }
}

/** The connections to one server that this command keeps for what it asks next. */
export class KeptLines {
  #idle: ProvedAgent[] = [];
  #usedMs = systemClock.now();

  /** What one request is made with, and no other until that is over. @param open a new connection, which has proved whose it is */
  async agent(open: () => Promise<Socket>): Promise<Agent> {
    if (Math.abs(systemClock.now() - this.#usedMs) > FRESH_MS) this.forget();
    this.#usedMs = systemClock.now();
    for (let kept = this.#idle.pop(); kept !== undefined; kept = this.#idle.pop())
      if (kept.isIdle()) return kept;
    const home = this.#idle;
    const agent = new ProvedAgent(await open(), () => {
      const isWanted = home === this.#idle && home.length < MOST_IDLE;
      if (isWanted) home.push(agent);
      else agent.close();
    });
    return agent;
  }

  /** What is in use goes on. */
  forget(): void {
    for (const agent of this.#idle) agent.close();
    this.#idle = [];
  }
}

const kept = new WeakMap<RemoteServer, KeptLines>();

/** Of this login: no other one's requests go by them. */
export function keptLinesOf(server: RemoteServer): KeptLines {
  const found = kept.get(server) ?? new KeptLines();
  kept.set(server, found);
  return found;
}
