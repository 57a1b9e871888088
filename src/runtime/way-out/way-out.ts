import { type Socket as DatagramSocket, type RemoteInfo, createSocket } from "node:dgram";
import { once } from "node:events";
import { type Server, type Socket, connect, createServer } from "node:net";

import { sleep } from "../../base/clock.ts";
import { hasErrorCode } from "../../base/problem.ts";
import { endAfter } from "../sockets/end-after.ts";
import { isPassedOn } from "../sockets/first-byte.ts";
import { joinWays } from "../sockets/join-ways.ts";
import {
  TYPE_A,
  TYPE_AAAA,
  type Question,
  encodeAddresses,
  encodeFailure,
  parseQuestion,
} from "./dns-message.ts";
import type { Errand } from "./errand.ts";
import { OutsideNames } from "./outside-names.ts";
import type { WayOutPlan } from "./way-out-plan.ts";

/** Where services of the world outside listen. */
const PORTS = [
  21, 22, 25, 80, 110, 143, 443, 465, 587, 993, 995, 1433, 1521, 2525, 3128, 3306, 4222, 4317, 4318,
  5432, 5433, 5671, 5672, 6379, 6380, 6543, 8000, 8080, 8443, 9000, 9092, 9200, 9243, 9418, 11211,
  26257, 27017, 27018, 27019,
];
const SECONDS = 60;
const MAX_CONNECTIONS = 1_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const ERRAND_MS = 40_000;
const STAY_AGAIN_MS = 1_000;

/**
 * The way from a network of its own to the world outside, for any program: a name server that gives each name an address of
 * ours, and listeners there, whose connections somebody outside dials by the name.
 */
export class WayOut {
  readonly #plan: WayOutPlan;
  readonly #names = new OutsideNames();
  readonly #listeners = new Map<string, readonly Server[]>();
  readonly #open = new Set<Socket>();
  #questions: DatagramSocket | undefined;

  constructor(plan: WayOutPlan) {
    this.#plan = plan;
  }

  async open(): Promise<void> {
    const questions = createSocket("udp4");
    this.#questions = questions;
    questions.on("message", (message, from) => {
      void this.#reply(questions, message, from);
    });
    questions.on("error", () => {
      // Somebody who asked has gone.
    });
    questions.bind(53, "127.0.0.1");
    await once(questions, "listening");
    this.#stay(questions);
  }

  /** For as long as it is open, whoever dials is told that he is needed; also one who took another's place. */
  #stay(questions: DatagramSocket): void {
    this.#track(this.#send({ kind: "stay" })).once("close", () => {
      void sleep(STAY_AGAIN_MS).then(() => {
        if (this.#questions === questions) this.#stay(questions);
        return undefined;
      });
    });
  }

  close(): void {
    this.#questions?.close();
    this.#questions = undefined;
    for (const address of this.#listeners.keys()) this.#forget(address);
    for (const socket of this.#open) socket.destroy();
  }

  async #reply(questions: DatagramSocket, message: Buffer, to: RemoteInfo): Promise<void> {
    const answer = await this.#answer(message);
    // It may have been closed meanwhile.
    if (answer !== undefined && this.#questions === questions)
      questions.send(answer, to.port, to.address);
  }

  async #answer(message: Buffer): Promise<Buffer | undefined> {
    const question = parseQuestion(message);
    if (question === undefined) return undefined;
    if (!isAllowed(question.name, this.#plan.hosts))
      return encodeFailure(message, question, "refused");
    if (question.type === TYPE_A || question.type === TYPE_AAAA)
      return this.#locate(message, question);
    const told = await this.#run({ kind: "ask", message: message.toString("base64") });
    return told === undefined || told === ""
      ? encodeFailure(message, question, "failed")
      : Buffer.from(told, "base64");
  }

  async #locate(message: Buffer, question: Question): Promise<Buffer> {
    const isThere = await this.#run({ kind: "resolve", host: question.name });
    if (isThere === undefined) return encodeFailure(message, question, "failed");
    if (isThere !== "true") return encodeFailure(message, question, "unknown");
    const addresses = question.type === TYPE_A ? [await this.#require(question.name)] : [];
    return encodeAddresses(message, question, { addresses, seconds: SECONDS });
  }

  async #require(name: string): Promise<string> {
    const { address, isNew, forgotten } = this.#names.require(name);
    if (forgotten !== undefined) this.#forget(forgotten);
    if (isNew) {
      const ports = PORTS.filter((port) => !this.#plan.taken.includes(port));
      const servers = await Promise.all(
        ports.map(async (port) => this.#listen(name, address, port)),
      );
      this.#listeners.set(
        address,
        servers.flatMap((server) => server ?? []),
      );
    }
    return address;
  }

  async #listen(name: string, host: string, port: number): Promise<Server | undefined> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
      void this.#pass(near, name, port);
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.listen({ host, port });
    try {
      await once(server, "listening");
    } catch (error) {
      // One of the environment's own listens there on all addresses: it keeps its port.
      if (hasErrorCode(error, "EADDRINUSE")) return undefined;
      throw error;
    }
    server.on("error", () => {
      // No descriptor left for a connection: it is refused, the others go on.
    });
    return server;
  }

  async #pass(near: Socket, host: string, port: number): Promise<void> {
    this.#track(near).on("error", () => near.destroy());
    const far = this.#track(this.#send({ kind: "dial", host, port }));
    if (!(await isPassedOn(far)) || near.destroyed) {
      far.destroy();
      near.resetAndDestroy();
      return;
    }
    joinWays(near, far);
  }

  /** undefined: nobody is there to run it. */
  async #run(errand: Errand): Promise<string | undefined> {
    const socket = this.#track(this.#send(errand));
    const lift = endAfter(socket, ERRAND_MS);
    let answer = "";
    try {
      for await (const chunk of socket) {
        answer += String(chunk);
        if (answer.length > MAX_ANSWER_BYTES) return undefined;
      }
    } catch {
      // Refused, or broken off.
      return undefined;
    } finally {
      lift();
    }
    return answer.endsWith("\n") ? answer.slice(0, -1) : undefined;
  }

  #send(errand: Errand): Socket {
    const socket = connect({ path: this.#plan.socket, allowHalfOpen: true });
    socket.on("error", () => socket.destroy());
    socket.write(`${JSON.stringify(errand)}\n`);
    return socket;
  }

  #track(socket: Socket): Socket {
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    return socket;
  }

  #forget(address: string): void {
    for (const server of this.#listeners.get(address) ?? []) server.close();
    this.#listeners.delete(address);
  }
}

/** A name is allowed with all below it, as certificates and cookies have it too; null: every name is. */
function isAllowed(name: string, hosts: readonly string[] | null): boolean {
  if (hosts === null) return true;
  return hosts.some((host) => name === host || name.endsWith(`.${host}`));
}
