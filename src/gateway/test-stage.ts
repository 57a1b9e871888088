import { mkdtemp } from "node:fs/promises";
import {
  createServer,
  type IncomingHttpHeaders,
  request,
  type RequestListener,
  type Server,
} from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sleep, systemClock } from "../base/clock.ts";
import type { ProblemFields } from "../base/problem.ts";
import { removeInside } from "../base/remove-inside.ts";
import { UndoStack } from "../base/undo-stack.ts";
import type { LogLine } from "../environment/environment.ts";
import {
  type Access,
  type Certificates,
  type Gateway,
  openCertificates,
  openGateway,
  type Target,
  type TargetState,
} from "./gateway.ts";

/** Real servers and gateways for this room's tests; only they import it. */
export class Stage {
  readonly #undo = new UndoStack();

  async upstream(
    listener: RequestListener,
    address = { host: "127.0.0.1", port: 0 },
  ): Promise<Upstream> {
    const server = createServer(listener);
    const port = await new Promise<number>((resolve, reject) => {
      server.once("error", reject);
      server.listen(address, () => {
        const bound = server.address();
        resolve(bound === null || typeof bound === "string" ? 0 : bound.port);
      });
    });
    const stop = (): Promise<void> => stopServer(server);
    this.#undo.push(stop);
    return { server, port, stop };
  }

  async gateway(
    targets: Readonly<Record<string, Target>>,
    waitMs?: number,
    certificates?: Certificates,
  ): Promise<Gateway> {
    const gateway = await openGateway({
      host: "127.0.0.1",
      port: 0,
      find: (hostname) => (Object.hasOwn(targets, hostname) ? targets[hostname] : undefined),
      ...(certificates === undefined ? {} : { certificates }),
      ...(waitMs === undefined ? {} : { waitMs }),
    });
    this.#undo.push(() => gateway.close());
    return gateway;
  }

  /** A gateway that speaks TLS too, and whom its clients trust. */
  async secureGateway(targets: Readonly<Record<string, Target>>): Promise<Secure> {
    const folder = await mkdtemp(join(tmpdir(), "ramet-keys-"));
    this.#undo.push(() => removeInside(tmpdir(), folder));
    const certificates = openCertificates(folder, systemClock);
    const { port } = await this.gateway(targets, undefined, certificates);
    return { port, folder, ca: (await certificates.requireAuthority()).certificate };
  }

  close(): Promise<void> {
    return this.#undo.undo();
  }
}

export type Secure = { readonly port: number; readonly folder: string; readonly ca: string };

export type Upstream = {
  readonly server: Server;
  readonly port: number;
  readonly stop: () => Promise<void>;
};

function stopServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

/** A target whose state the test sets. */
export class TestTarget implements Target {
  readonly label: string;
  woken = 0;
  /** How many wait for an answer of it. */
  occupants = 0;
  /** How often something was done on its connections. */
  touched = 0;
  /** How often something was sent to it. */
  stirred = 0;
  /** How often its state was asked for. */
  looks = 0;
  onWake: () => void = () => undefined;
  printed: readonly LogLine[] = [];
  readonly noted: Access[] = [];
  reported: ProblemFields | null = null;
  #state: TargetState;
  readonly #listeners = new Set<() => void>();

  constructor(label: string, state: TargetState | number) {
    this.label = label;
    this.#state = typeof state === "number" ? { kind: "ready", port: state, inlet: null } : state;
  }

  state(): TargetState {
    this.looks += 1;
    return this.#state;
  }

  become(state: TargetState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }

  /** How many wait for a change. */
  get listening(): number {
    return this.#listeners.size;
  }

  wake(): void {
    this.woken += 1;
    this.onWake();
  }

  occupy(): () => void {
    this.occupants += 1;
    let isHere = true;
    return () => {
      if (isHere) this.occupants -= 1;
      isHere = false;
    };
  }

  touch(): void {
    this.touched += 1;
  }

  stir(): void {
    this.stirred += 1;
  }

  note(access: Access): void {
    this.noted.push(access);
  }

  report(problem: ProblemFields | null): void {
    this.reported = problem;
  }

  async lastLines(): Promise<readonly LogLine[]> {
    return this.printed;
  }

  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#listeners.add(resolve);
      signal.addEventListener("abort", () => {
        this.#listeners.delete(resolve);
        reject(new Error("No longer waited for."));
      });
    });
  }
}

export type Asked = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

export type Question = {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

export function ask(port: number, host: string, question: Question = {}): Promise<Asked> {
  const { path = "/", method = "GET", headers = {}, body } = question;
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, method, agent: false };
    const outgoing = request({ ...options, headers: { ...headers, host } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => (text += chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Sends these bytes, and answers all that comes until the other side closes, or has been quiet for `quietMs`. */
export async function sendRaw(port: number, bytes: string, quietMs = 300): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port });
  const quiet = new AbortController();
  let answer = "";
  let heardAt = performance.now();
  socket.on("data", (chunk) => {
    answer += chunk.toString("latin1");
    heardAt = performance.now();
  });
  socket.on("error", () => undefined);
  socket.once("close", () => {
    quiet.abort();
  });
  socket.write(bytes, "latin1");
  while (!quiet.signal.aborted && performance.now() - heardAt < quietMs) await sleep(10);
  socket.destroy();
  return answer;
}
