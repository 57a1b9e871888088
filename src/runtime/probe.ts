import { connect, type Socket } from "node:net";

import { messageOf } from "../base/problem.ts";

/** Whether somebody serves, and if not, how it looks from outside. */
export type Answer = { readonly isReady: true } | { readonly isReady: false; readonly why: string };

const READY: Answer = { isReady: true };
/** Frameworks listen on one of the two, or on both. */
const HOSTS = ["127.0.0.1", "::1"] as const;
/** Of an HTTP answer, only the first line is read. */
const MAX_STATUS_BYTES = 1024;
const MAX_DIAL_MS = 2_000;

/** Whether something listens on the port on loopback: told at once, so that asking often costs little. */
export async function probePort(port: number, signal: AbortSignal): Promise<Answer> {
  for (const host of HOSTS) if (await accepts({ host, port }, signal)) return READY;
  return notListening(port);
}

async function accepts(to: { host: string; port: number }, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  // One whose queue is full answers neither yes nor no.
  const socket = connect({ ...to, timeout: MAX_DIAL_MS });
  socket.once("timeout", () => resolve(false));
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  const giveUp = (): void => resolve(false);
  signal.addEventListener("abort", giveUp);
  const isOpen = !signal.aborted && (await promise);
  signal.removeEventListener("abort", giveUp);
  socket.destroy();
  return isOpen;
}

/** Whether a GET is answered below 500. By hand: an HTTP client costs the keeper more memory than all the rest. */
export async function probeHttp(port: number, path: string, signal: AbortSignal): Promise<Answer> {
  let answer = notListening(port);
  for (const host of HOSTS) {
    let isConnected = false;
    answer = await dial({ host, port }, signal, (socket, done) => {
      socket.once("connect", () => {
        isConnected = true;
        socket.write(
          `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nConnection: close\r\n\r\n`,
        );
      });
      readStatus(socket, (status) => done(judge(path, status)));
    });
    if (isConnected) return answer;
  }
  return notListening(port);
}

function notListening(port: number): Answer {
  return { isReady: false, why: `nothing listens on port ${port}` };
}

function judge(path: string, status: string): Answer {
  const code = /^HTTP\/1\.[01] ([1-9]\d\d)\b/.exec(status)?.[1];
  if (code === undefined) return { isReady: false, why: `GET ${path} was not answered in HTTP` };
  return Number(code) < 500
    ? READY
    : { isReady: false, why: `GET ${path} was answered with ${code}` };
}

async function dial(
  to: { host: string; port: number },
  signal: AbortSignal,
  talk: (socket: Socket, done: (answer: Answer) => void) => void,
): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const socket = connect({ ...to, signal });
  socket.on("error", (error) => resolve({ isReady: false, why: messageOf(error) }));
  socket.once("close", () =>
    resolve({ isReady: false, why: "the connection was closed without an answer" }),
  );
  talk(socket, resolve);
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

function readStatus(socket: Socket, done: (line: string) => void): void {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    if (text.includes("\n") || text.length > MAX_STATUS_BYTES) done(text.split("\n", 1)[0] ?? "");
  });
}
