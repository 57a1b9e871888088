/** A way to a server that can be cut, in every manner in which networks do it. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export const CUTS = [
  "reset",
  "refuse",
  "stall",
  "swallow-questions",
  "swallow-answers",
  "half-close",
] as const;
export type Cut = (typeof CUTS)[number];

type Way = { readonly asking: Socket; readonly answering: Socket; isTorn: boolean };

export class Relay {
  readonly port: number;
  /** How many connections were ever made by it. */
  count = 0;
  /** How many bytes ever came, from either end. */
  bytes = 0;
  readonly #server: Server;
  readonly #to: { readonly host: string; readonly port: number };
  readonly #ways = new Set<Way>();
  #cut: Cut | undefined;

  private constructor(server: Server, port: number, to: { host: string; port: number }) {
    this.#server = server;
    this.port = port;
    this.#to = to;
    server.on("connection", (asking) => this.#connect(asking));
  }

  /** On the same address as what it leads to, so that its certificate is good there too. */
  static async open(to: { readonly host: string; readonly port: number }): Promise<Relay> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, to.host);
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("It has no port.");
    return new Relay(server, address.port, to);
  }

  /**
   * `reset`: what is open is torn; `refuse`: new ones too, until it is mended; `stall`: nothing passes, and nobody is told;
   * `swallow-…`: what goes one way never arrives; `half-close`: the server is told that nothing more comes, which is not so.
   */
  cut(how: Cut): void {
    this.#cut = how;
    for (const way of this.#ways) this.#strike(way);
  }

  /** What has lost bytes is torn: no network goes on after a gap. */
  mend(): void {
    this.#cut = undefined;
    for (const way of this.#ways) {
      if (way.isTorn) tear(way);
      else for (const socket of [way.asking, way.answering]) socket.resume();
    }
  }

  async close(): Promise<void> {
    for (const way of this.#ways) tear(way);
    this.#server.close();
    await once(this.#server, "close");
  }

  #connect(asking: Socket): void {
    this.count += 1;
    const answering = connect({ ...this.#to, allowHalfOpen: true });
    const way: Way = { asking, answering, isTorn: false };
    this.#ways.add(way);
    this.#lead(way, { from: asking, to: answering, swallows: "swallow-questions" });
    this.#lead(way, { from: answering, to: asking, swallows: "swallow-answers" });
    if (this.#cut !== undefined && this.#cut !== "reset") this.#strike(way);
  }

  #lead(
    way: Way,
    { from, to, swallows }: { readonly from: Socket; readonly to: Socket; readonly swallows: Cut },
  ): void {
    from.on("data", (bytes) => {
      this.bytes += bytes.length;
      if (this.#cut === swallows) way.isTorn = true;
      else to.write(bytes);
    });
    from.on("end", () => to.end());
    // One end is gone: so is the other.
    from.on("error", () => tear(way));
    from.on("close", () => {
      to.destroy();
      this.#ways.delete(way);
    });
  }

  #strike(way: Way): void {
    if (this.#cut === "reset" || this.#cut === "refuse") tear(way);
    else if (this.#cut === "half-close") way.answering.end();
    else if (this.#cut === "stall")
      for (const socket of [way.asking, way.answering]) socket.pause();
  }
}

function tear({ asking, answering }: Way): void {
  for (const socket of [asking, answering]) if (!socket.destroyed) socket.resetAndDestroy();
}
