import type { Socket } from "node:net";

import { parseFields, parseNumber, parsePort } from "../../base/parse-fields.ts";
import type { Channel } from "../../process/process.ts";
import { dialPort } from "./dial-port.ts";

/** Who waits longer goes by the inlet, which is as good but for one process more. */
const ANSWER_MS = 1_000;
/** Whoever has asked for so many that were not handed over yet goes by the inlet too. */
const MAX_WAITING = 256;

/** What became of a wish for a connection to a port. */
export type Dialled =
  | { readonly kind: "connected"; readonly connection: Socket }
  /** Nobody listens there. */
  | { readonly kind: "refused" }
  /** It cannot be handed over: there may be another way. */
  | { readonly kind: "unavailable" };

/**
 * In the network: connects to ports for whoever started us, and hands the connections to him. What passes on them is not
 * seen here.
 * @param onUse called before somebody is connected
 */
export function handOver(channel: Channel, onUse: () => void): void {
  channel.listen({ take: (message) => void answer(channel, message, onUse) });
}

async function answer(channel: Channel, message: unknown, onUse: () => void): Promise<void> {
  const fields = parseFields(message, "wish");
  const [id, port] = [parseNumber(fields["id"], "id"), parsePort(fields["port"])];
  onUse();
  channel.send({ id }, await dialPort(port));
}

/** Outside of it: asks for connections, and takes them. */
export class HandedOver {
  readonly #channel: Channel;
  readonly #waiting = new Map<number, (dialled: Dialled) => void>();
  #nextId = 1;

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.listen({
      take: (message, connection) => this.#take(message, connection),
      onClose: () => this.#giveUp(),
    });
  }

  async dial(port: number): Promise<Dialled> {
    if (!this.#channel.isOpen() || this.#waiting.size >= MAX_WAITING) return UNAVAILABLE;
    const id = this.#nextId;
    this.#nextId += 1;
    const { promise, resolve } = Promise.withResolvers<Dialled>();
    this.#waiting.set(id, resolve);
    const limit = AbortSignal.timeout(ANSWER_MS);
    const giveUp = (): void => resolve(UNAVAILABLE);
    limit.addEventListener("abort", giveUp);
    this.#channel.send({ id, port });
    const dialled = await promise;
    limit.removeEventListener("abort", giveUp);
    this.#waiting.delete(id);
    return dialled;
  }

  close(): void {
    this.#channel.close();
    this.#giveUp();
  }

  #giveUp(): void {
    for (const resolve of this.#waiting.values()) resolve(UNAVAILABLE);
  }

  #take(message: unknown, connection: Socket | null): void {
    const resolve = this.#waiting.get(parseNumber(parseFields(message, "answer")["id"], "id"));
    // It came too late: whoever asked for it has gone another way.
    if (resolve === undefined) connection?.destroy();
    else resolve(connection === null ? { kind: "refused" } : { kind: "connected", connection });
  }
}

const UNAVAILABLE = { kind: "unavailable" } as const;
