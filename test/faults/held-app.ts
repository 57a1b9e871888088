/** An app that tells every interruption: who answers, over which database session, and an echo on a WebSocket. */
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { WebSocket } from "ws";
import { z } from "zod";

import { monotonicMs, sleep } from "../../src/base/clock.ts";
import type { Stage } from "../journeys/stage.ts";

const SERVER = `
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import pg from "pg";
import { WebSocketServer } from "ws";

const life = randomUUID();
const held = new pg.Client({ connectionString: process.env.DATABASE_URL });
held.on("error", () => process.exit(1));
await held.connect();
const server = createServer(async (request, response) => {
  const { rows } = await held.query("select pg_backend_pid() as session");
  response.end(JSON.stringify({ environment: process.env.RAMET_ENV, life, ...rows[0] }));
});
new WebSocketServer({ server }).on("connection", (socket) =>
  socket.on("message", (text) => socket.send(life + " " + text)),
);
server.listen(Number(process.env.PORT), process.env.HOST);
`;

export const answer = z.object({
  environment: z.string(),
  /** Of the process, from its start on. */
  life: z.string(),
  /** The database's own process that serves the held connection. */
  session: z.number(),
});
export type Answer = z.infer<typeof answer>;

export async function copyHeldApp(stage: Stage): Promise<string> {
  const app = await stage.copyApp("notes", ["pg", "ws"]);
  await writeFile(path.join(app, "server.mjs"), SERVER);
  await stage.git(app, "commit", "-qam", "A server that tells who it is");
  return app;
}

const AGAIN_MS = 10;
const ECHO_LIMIT_MS = 5_000;

/** A page's WebSocket: echoes all the while, and comes back as soon as it is cut. */
export class Chatter {
  readonly #url: URL;
  readonly #stopping = new AbortController();
  readonly #talking: Promise<void>;
  /** How long each time nothing came back. */
  readonly cutsMs: number[] = [];
  #lastMs = monotonicMs();

  constructor(url: string) {
    this.#url = new URL(url);
    this.#talking = this.#talk();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#talking;
  }

  async #talk(): Promise<void> {
    for (let isFirst = true; !this.#stopping.signal.aborted; isFirst = false) {
      const socket = await this.#open();
      if (socket === undefined) {
        await sleep(AGAIN_MS);
        continue;
      }
      await this.#converse(socket, isFirst);
      socket.terminate();
    }
  }

  /** Until it is cut. */
  async #converse(socket: WebSocket, isFirst: boolean): Promise<void> {
    for (let said = 0; !this.#stopping.signal.aborted; said += 1) {
      if (!(await echo(socket, String(said)))) return;
      if (said === 0 && !isFirst) this.cutsMs.push(monotonicMs() - this.#lastMs);
      this.#lastMs = monotonicMs();
      await sleep(AGAIN_MS);
    }
  }

  async #open(): Promise<WebSocket | undefined> {
    const { host, port } = this.#url;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host } });
    const { promise, resolve } = Promise.withResolvers<WebSocket | undefined>();
    socket.once("open", () => resolve(socket)).on("error", () => resolve(undefined));
    socket.once("close", () => resolve(undefined));
    return promise;
  }
}

async function echo(socket: WebSocket, text: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const back = (): void => resolve(true);
  const cut = (): void => resolve(false);
  socket.once("message", back).once("close", cut);
  AbortSignal.timeout(ECHO_LIMIT_MS).addEventListener("abort", cut);
  if (socket.readyState === WebSocket.OPEN) socket.send(text);
  else cut();
  return promise.finally(() => socket.off("message", back).off("close", cut));
}
