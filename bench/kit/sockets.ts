import { connect } from "node:net";
import type { Socket } from "node:net";

import type { Address } from "./http.ts";
import type { Load } from "./load.ts";

const OPEN_LIMIT_MS = 20_000;
const AT_ONCE = 32;
const HEAD_END = "\r\n\r\n";
/** 32 bytes of text in one frame, masked with zeros; it comes back without the mask. */
const TEXT = Buffer.alloc(32, "x");
const MESSAGE = Buffer.concat([Buffer.from([0x81, 0x80 + TEXT.length, 0, 0, 0, 0]), TEXT]);
const ECHO_BYTES = 2 + TEXT.length;

/** Milliseconds of every message: each WebSocket sends its next once the last has come back, until the time is over. */
export async function measureEcho(address: Address, load: Load): Promise<readonly number[]> {
  const sockets = await openSockets(address, load.connections);
  const end = performance.now() + load.ms;
  try {
    return (await Promise.all(sockets.map((socket) => echoUntil(socket, end)))).flat();
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** WebSockets that are open, and say nothing. A few at a time: it is not the storm of their beginning that is measured. */
export async function openSockets(address: Address, count: number): Promise<readonly Socket[]> {
  const open: Socket[] = [];
  while (open.length < count) {
    const few = Math.min(AT_ONCE, count - open.length);
    open.push(...(await Promise.all(Array.from({ length: few }, () => openSocket(address)))));
  }
  return open;
}

function openSocket({ port, host, path }: Address): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    let head = "";
    const fail = (): void => reject(new Error(`${host} opened no WebSocket: ${head}`));
    socket.setTimeout(OPEN_LIMIT_MS, () => socket.destroy());
    socket.once("error", fail).once("close", fail);
    socket.on("data", (chunk) => {
      head += chunk.toString("latin1");
      if (!head.endsWith(HEAD_END)) return;
      socket.removeAllListeners().setTimeout(0);
      socket.on("error", () => undefined);
      if (head.startsWith("HTTP/1.1 101 ")) resolve(socket);
      else fail();
    });
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==${HEAD_END}`,
    );
  });
}

async function echoUntil(socket: Socket, end: number): Promise<readonly number[]> {
  const figures: number[] = [];
  while (performance.now() < end) {
    const began = performance.now();
    await echo(socket);
    figures.push(performance.now() - began);
  }
  return figures;
}

function echo(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const fail = (): void => reject(new Error("The WebSocket was closed."));
    const receive = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes < ECHO_BYTES) return;
      socket.off("data", receive).off("close", fail);
      resolve();
    };
    socket.on("data", receive).once("close", fail);
    socket.write(MESSAGE);
  });
}
