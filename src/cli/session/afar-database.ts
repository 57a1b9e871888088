import type { TunnelTarget } from "../connection/tunnel.ts";
import type { Session } from "./session.ts";

/** The same database, at a port of this machine. */
export function atPort(databaseUrl: string, port: number): string {
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = String(port);
  return url.href;
}

/** What names the database's port on the server's own machine, as it is here. */
export function moveVariables(
  variables: Readonly<Record<string, string>>,
  port: number,
): Record<string, string> {
  const { DATABASE_URL: databaseUrl } = variables;
  if (databaseUrl === undefined || !URL.canParse(databaseUrl)) return { ...variables };
  const { host, port: before } = new URL(databaseUrl);
  const moved: Record<string, string> = {};
  for (const [name, text] of Object.entries(variables))
    moved[name] = text === before ? String(port) : text.replaceAll(host, `127.0.0.1:${port}`);
  return moved;
}

/** Works while a port of this machine leads to the database, where that is elsewhere; `port` null: it is here. */
export async function withTunnel<T>(
  session: Session,
  target: TunnelTarget,
  work: (port: number | null) => Promise<T>,
): Promise<T> {
  const { remote } = session.context;
  if (remote === undefined) return work(null);
  const { openTunnel } = await import("../connection/tunnel.ts");
  const onProblem = ({ message }: { readonly message: string }): void => session.note(message);
  const tunnel = await openTunnel(remote, target, { port: null, onProblem });
  try {
    return await work(tunnel.port);
  } finally {
    tunnel.close();
  }
}
