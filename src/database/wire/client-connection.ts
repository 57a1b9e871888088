import type { Socket } from "node:net";

import { Problem, messageOf } from "../../base/problem.ts";
import { databaseUnreachable } from "../place/problems.ts";
import { APP_ROLE } from "../place/settings.ts";
import type { CancelKeys } from "./cancel-keys.ts";
import { cannotConnectNow, unknownUser } from "./error-response.ts";
import { negotiate } from "./negotiation.ts";
import type { Agreed } from "./negotiation.ts";
import { cancel, connectTo, refuse, relay } from "./relay.ts";
import { findParameter, formatStartupPacket } from "./startup-packet.ts";
import type { StartupParameters } from "./startup-packet.ts";
import type { TlsKeys } from "./tls-keys.ts";

export type Route = {
  open(signal: AbortSignal): Promise<{ readonly socket: string; readonly database: string }>;
  /** A client did more than keep its connection. */
  touch(): void;
};

/** A promise: who is there is not known yet. */
export type FindRoute = (user: string) => Route | undefined | Promise<Route | undefined>;

export type WireContext = {
  readonly find: FindRoute;
  readonly tls: TlsKeys;
  readonly cancelKeys: CancelKeys;
};

/** For a client to say what it came for. */
const STARTUP_LIMIT_MS = 30_000;
/** For an environment to wake. */
const OPEN_LIMIT_MS = 180_000;
/** Of what a client says before its server is there, 64 KiB each. */
const MAX_EARLY_CHUNKS = 4;
/** PostgreSQL's names are no longer. */
const MAX_USER = 63;

/** One client's whole visit; resolves when it is over. */
export async function serveClient(socket: Socket, context: WireContext): Promise<void> {
  const gone = new AbortController();
  socket.once("close", () => gone.abort());
  const startup = AbortSignal.any([gone.signal, AbortSignal.timeout(STARTUP_LIMIT_MS)]);
  const { stream, agreed } = await negotiate(socket, context.tls, startup);
  if (agreed.kind === "refused") await refuse(stream, agreed.error);
  else if (agreed.kind === "cancel") await passCancel(stream, { context, agreed, signal: startup });
  else if (agreed.kind === "startup") await visit(stream, { context, agreed, signal: gone.signal });
  stream.destroy();
}

type Visit<Kind extends Agreed["kind"]> = {
  readonly context: WireContext;
  readonly agreed: Extract<Agreed, { kind: Kind }>;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
};

/** A wrong key is answered as a right one: not at all. */
async function passCancel(
  client: Socket,
  { context, agreed, signal }: Visit<"cancel">,
): Promise<void> {
  const session = context.cancelKeys.find(agreed);
  if (session !== undefined) await cancel(session, signal);
  client.end();
}

async function visit(client: Socket, { context, agreed, signal }: Visit<"startup">): Promise<void> {
  const user = findParameter(agreed.parameters, "user") ?? "";
  const route = await context.find(user);
  if (route === undefined) return refuse(client, unknownUser(user.slice(0, MAX_USER)));
  const early = collectEarly(client, agreed.rest);
  const opened = await open(
    route,
    AbortSignal.any([signal, early.ended, AbortSignal.timeout(OPEN_LIMIT_MS)]),
  );
  if (opened instanceof Problem) return refuse(client, cannotConnectNow(opened));
  const { upstream, socket, database } = opened;
  const parameters = rewriteParameters(agreed.parameters, { user, database });
  const first = Buffer.concat([formatStartupPacket(agreed.version, parameters), early.take()]);
  const { cancelKeys } = context;
  return relay(client, upstream, { socket, first, cancelKeys, user, onUse: () => route.touch() });
}

type Opened = { readonly upstream: Socket; readonly socket: string; readonly database: string };

async function open(route: Route, signal: AbortSignal): Promise<Opened | Problem> {
  try {
    const { socket, database } = await route.open(signal);
    return { upstream: await connectTo(socket, signal), socket, database };
  } catch (error) {
    return error instanceof Problem ? error : databaseUnreachable(messageOf(error));
  }
}

/** Inside its server every app's role has the same name; whoever names no database means the app's. */
function rewriteParameters(
  parameters: StartupParameters,
  { user, database }: { readonly user: string; readonly database: string },
): StartupParameters {
  const wanted = findParameter(parameters, "database") ?? user;
  const others = parameters.filter(([name]) => name !== "user" && name !== "database");
  // Like any text of a packet, it is bytes in the guise of Latin-1.
  const own = Buffer.from(database, "utf8").toString("latin1");
  return [["user", APP_ROLE], ["database", wanted === user ? own : wanted], ...others];
}

type Early = { readonly ended: AbortSignal; take(): Buffer };

/** Reads on while a server wakes: a client that leaves is noticed. More than it needs to say makes it wait. */
function collectEarly(client: Socket, rest: Buffer): Early {
  const chunks = [rest];
  const ended = new AbortController();
  const keep = (chunk: Buffer): void => {
    chunks.push(chunk);
    if (chunks.length > MAX_EARLY_CHUNKS) client.pause();
  };
  const end = (): void => ended.abort();
  client.on("data", keep);
  client.once("end", end);
  return {
    ended: ended.signal,
    take: () => {
      client.off("data", keep);
      client.off("end", end);
      client.pause();
      return Buffer.concat(chunks);
    },
  };
}
