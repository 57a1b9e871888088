import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import { monotonicMs } from "../base/clock.ts";
import { Traffic } from "../base/traffic.ts";
import { HALF_OPEN_MS } from "./limits.ts";

export function writeSwitchingProtocols(client: Socket, headers: readonly string[]): void {
  let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
  for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  client.write(`${head}\r\n`, "latin1");
}

export type JoinEvents = {
  /** More passes than what keeps the connection. */
  onUse(): void;
  /** Something passes to the upstream. */
  onSent(): void;
  /** Both are closed. */
  onEnd(): void;
  /** How long a side may stay open once the other has ended. */
  readonly halfOpenMs?: number;
};

/** Raw bytes both ways until either side ends. */
export function joinSockets(
  client: { readonly socket: Socket; readonly head: Buffer },
  upstream: Duplex,
  events: JoinEvents,
): void {
  let open = 2;
  const sides = [
    [client.socket, upstream],
    [upstream, client.socket],
  ] as const;
  for (const [from, to] of sides) {
    // An error is always followed by `close`, which ends the other side too.
    from.on("error", () => undefined);
    from.once("close", () => {
      endSoon(to);
      open -= 1;
      if (open === 0) events.onEnd();
    });
    watchTraffic(from, events);
    // All has been said to it. Some never close by themselves, and nobody is there any more to read what they say.
    to.once("finish", () => {
      const limit = AbortSignal.timeout(events.halfOpenMs ?? HALF_OPEN_MS);
      limit.addEventListener("abort", () => {
        from.destroy();
        to.destroy();
      });
    });
  }
  client.socket.on("data", () => events.onSent());
  if (client.head.length > 0) upstream.write(client.head);
  client.socket.pipe(upstream).pipe(client.socket);
}

/** Both ways: a person may only look at what comes. */
function watchTraffic(from: Duplex, events: JoinEvents): void {
  const traffic = new Traffic();
  from.on("data", (chunk: Buffer) => {
    if (traffic.isUse(chunk.length, monotonicMs())) events.onUse();
  });
}

/** What is written already still arrives: a WebSocket's close frame is the last thing before the end. */
function endSoon(stream: Duplex): void {
  if (stream.writableFinished) stream.destroy();
  else stream.end(() => stream.destroy());
}
