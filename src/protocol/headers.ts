/** Grows when a call changes so that an older client or server would misread it. */
export const PROTOCOL_VERSION = 1;

/** The headers of every call. */
export const TOKEN_HEADER = "x-ramet-token";
export const PROTOCOL_HEADER = "x-ramet-protocol";

/** What a connection from afar becomes that leads to an environment's database: `GET /databases/APP/ENV`. */
export const DATABASE_TUNNEL = "ramet-database";
