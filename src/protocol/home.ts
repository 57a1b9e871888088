import path from "node:path";

import { findHomeFolder } from "./home-folder.js";

/** What decides where Ramet keeps its things. */
export type Surroundings = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** null where the system has no user ids. */
  readonly uid: number | null;
  readonly userHome: string;
};

/** The folder of all that a server keeps, and the short one of its sockets. */
export type Home = {
  readonly folder: string;
  readonly sockets: string;
  /** The server listens here. */
  readonly socket: string;
  /** What a client must show besides; 0600. */
  readonly token: string;
  /** What a running server says of itself. */
  readonly serverFile: string;
  readonly serverLog: string;
};

/** A unix socket's path holds 104 bytes on macOS, 108 on Linux; the longest below `sockets` is `/12345678/.s.PGSQL.5432`. */
const MAX_SOCKETS_FOLDER = 103 - "/12345678/.s.PGSQL.5432".length;

/** Where a server of these surroundings keeps its things, and where it listens. */
export function findHome(surroundings: Surroundings): Home {
  const folder = findHomeFolder(surroundings);
  const sockets = findSocketsFolder(folder, surroundings);
  return {
    folder,
    sockets,
    socket: path.join(sockets, "server.sock"),
    token: path.join(folder, "token"),
    serverFile: path.join(folder, "server.json"),
    serverLog: path.join(folder, "server.log"),
  };
}

function findSocketsFolder(folder: string, { environment, uid }: Surroundings): string {
  const inside = path.join(folder, "run");
  if (Buffer.byteLength(inside) <= MAX_SOCKETS_FOLDER) return inside;
  // Imported it would cost every start some milliseconds, and this is rare.
  const { createHash } = process.getBuiltinModule("node:crypto");
  const hash = createHash("sha256").update(folder).digest("hex").slice(0, 12);
  const runtime = environment["XDG_RUNTIME_DIR"];
  if (runtime !== undefined && path.isAbsolute(runtime) && uid !== 0) {
    const short = path.join(runtime, `ramet-${hash}`);
    if (Buffer.byteLength(short) <= MAX_SOCKETS_FOLDER) return short;
  }
  return `/tmp/ramet-${uid ?? "user"}-${hash}`;
}
