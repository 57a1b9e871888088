import type { Socket } from "node:net";

/** Whatever the socket waits for has so long. @returns how to lift the limit */
export function endAfter(socket: Socket, ms: number): () => void {
  const limit = AbortSignal.timeout(ms);
  const end = (): void => void socket.destroy();
  limit.addEventListener("abort", end);
  return () => limit.removeEventListener("abort", end);
}
