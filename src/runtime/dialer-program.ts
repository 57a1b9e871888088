/** Whoever dials for those in networks of their own, a program of its own: `dialer-program SOCKET`. */
import { runDialer } from "./way-out/dialer.ts";
import { parseProxy } from "./way-out/proxy.ts";

/** Long enough for an environment that is being made to say that it needs it. */
const IDLE_MS = 20_000;

const [socket = ""] = process.argv.slice(2);
const ended = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => ended.abort());

await runDialer(socket, {
  // As root keepers of other users come to it, and whoever else comes may go out by himself.
  mode: process.getuid?.() === 0 ? 0o666 : 0o600,
  idleMs: IDLE_MS,
  signal: ended.signal,
  proxy: parseProxy(process.env),
});
process.exit(0);
