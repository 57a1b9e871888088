/** A call server on a socket of its own, before an engine with the app `shop`; and a caller that may send anything. */
import { request } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import path from "node:path";

import { openAccess } from "../../src/access/access.ts";
import type { Access } from "../../src/access/access.ts";
import { systemClock } from "../../src/base/clock.ts";
import { runs, TestEngine } from "../../src/engine/test-engine.ts";
import { openCertificates } from "../../src/gateway/gateway.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION, TOKEN_HEADER } from "../../src/protocol/headers.ts";
import { messageSchema } from "../../src/protocol/messages.ts";
import type { Message } from "../../src/protocol/messages.ts";
import type { ServerStatus } from "../../src/protocol/schemas.ts";
import { OwnDomain } from "../../src/server/addresses/domain.ts";
import { Fronts } from "../../src/server/addresses/fronts.ts";
import type { ServerPart } from "../../src/server/answering/answer-call.ts";
import { openCallServer } from "../../src/server/answering/call-server.ts";
import { ServedTrees } from "../../src/server/trees/served-trees.ts";

export const TOKEN = "correct-horse-battery-staple";
export const SHOP = { app: "shop", environment: "development" };
export const GOOD = { [TOKEN_HEADER]: TOKEN, [PROTOCOL_HEADER]: String(PROTOCOL_VERSION) };

export type Question = {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** Hears each message as it comes. */
  readonly onMessage?: (message: Message) => void;
};

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly messages: readonly Message[];
};

export type CallStage = {
  readonly engine: TestEngine;
  readonly socket: string;
  readonly access: Access;
  /** What a call of this stage works with. */
  readonly session: () => Promise<ServerPart>;
  readonly log: readonly string[];
  /** What happens before a call is worked on; a test may hold it up or break it. */
  opening: () => Promise<void>;
  ask(question: Question): Promise<Answer>;
  close(): Promise<void>;
};

export async function openCallStage(): Promise<CallStage> {
  const engine = await TestEngine.open();
  const web = { command: runs("serves.mjs") };
  await engine.createApp("shop", { setup: "echo done", processes: { web }, database: false });
  const log: string[] = [];
  const socket = path.join(engine.folder, "server.sock");
  const certificates = openCertificates(path.join(engine.folder, "keys"), systemClock);
  const fronts = new Fronts(path.join(engine.folder, "fronts.json"), engine.engine, certificates);
  const access = await openAccess(engine.folder, systemClock);
  const trees = new ServedTrees(engine.engine, systemClock);
  const session = async (): Promise<ServerPart> => {
    await stage.opening();
    return {
      engine: engine.engine,
      certificates,
      domain: new OwnDomain(path.join(engine.folder, "domain.json")),
      fronts,
      access,
      trees,
      searchPath: process.env["PATH"] ?? "",
      status: () => statusOf(engine.folder),
      leave: () => undefined,
    };
  };
  const calls = await openCallServer({
    socket,
    token: TOKEN,
    session,
    log: (text) => void log.push(text),
  });
  const stage: CallStage = {
    engine,
    socket,
    access,
    session,
    log,
    opening: async () => undefined,
    ask: async (question) => ask(socket, question),
    close: async () => {
      await calls.close();
      await trees.closeAll();
      await engine.close();
    },
  };
  return stage;
}

function statusOf(home: string): ServerStatus {
  const ports = {
    gatewayPort: null,
    databasePort: null,
    databaseSocket: null,
    listenArguments: null,
  };
  const unknown = { version: null, startedAt: null, ...ports };
  return { running: true, pid: process.pid, home, ...unknown };
}

async function ask(socketPath: string, question: Question): Promise<Answer> {
  const { method = "POST", headers = GOOD, body = "{}", signal } = question;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const options = {
    socketPath,
    path: question.path ?? "/calls/app.list",
    method,
    headers,
    agent: false,
  };
  const sent = request({ ...options, ...(signal === undefined ? {} : { signal }) }, (response) => {
    readAnswer(response, question).then(resolve, reject);
  });
  sent.on("error", reject).end(method === "POST" ? body : undefined);
  return promise;
}

async function readAnswer(response: IncomingMessage, { onMessage }: Question): Promise<Answer> {
  const messages: Message[] = [];
  let rest = "";
  response.setEncoding("utf8");
  for await (const chunk of response) {
    const lines = `${rest}${String(chunk)}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = messageSchema.parse(JSON.parse(line));
      messages.push(message);
      onMessage?.(message);
    }
  }
  return { status: response.statusCode ?? 0, headers: response.headers, messages };
}
