import { once } from "node:events";
import { createServer } from "node:net";

import { isListening } from "../base/is-listening.ts";
import { hasErrorCode } from "../base/problem.ts";
import { portsExhausted } from "./problems.ts";

/** Below the range from which kernels take the ports of outgoing connections, so that none of these is lost to one. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_767;
const MAX_TRIES = 2_000;
/** Given away and perhaps not listened on yet. */
const MAX_RECENT = 1_000;

const recent = new Set<number>();

/** Free on loopback; not one that was given away lately. @throws `ports_exhausted` */
export async function chooseFreePort(): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    if (recent.has(port)) continue;
    remember(port);
    if (await isFree(port)) return port;
  }
  throw portsExhausted();
}

/** Whether one can listen on it, on 127.0.0.1 and on ::1. */
export async function isFree(port: number): Promise<boolean> {
  for (const host of ["127.0.0.1", "::1"]) {
    // On macOS one may listen beside a listener on all addresses: asking by connecting finds it.
    if (await isListening({ host, port })) return false;
    if (!(await isListenable(host, port))) return false;
  }
  return true;
}

function remember(port: number): void {
  recent.add(port);
  for (const oldest of recent) {
    if (recent.size <= MAX_RECENT) return;
    recent.delete(oldest);
  }
}

async function isListenable(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, "listening");
  } catch (error) {
    return hasErrorCode(error, "EADDRNOTAVAIL", "EAFNOSUPPORT");
  }
  server.close();
  await once(server, "close");
  return true;
}
