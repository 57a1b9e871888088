/** Of a request's or an answer's header. Cookies of all of `localhost` come along, so it is four times Node's own. */
export const MAX_HEADER_BYTES = 64 * 1024;

export const MAX_CLIENT_CONNECTIONS = 8192;

/** Requests and WebSockets of one target at the same time. */
export const MAX_ACTIVE_PER_TARGET = 1024;

/** Requests that wait for any target to wake. */
export const MAX_WAITING = 2048;

/** A gateway whose environments point at each other would turn for ever. */
export const MAX_HOPS = 10;

/** Kept at the same time, each for one environment. */
export const MAX_CERTIFICATES = 512;

/** Of one HTTP/2 connection: requests at the same time, their bodies on the way each, and all that is held for it. */
export const MAX_HTTP2_STREAMS = 256;
export const HTTP2_WINDOW_BYTES = 1024 * 1024;
export const MAX_HTTP2_MEGABYTES = 32;

/** From a client's connection to the end of its header. */
export const REQUEST_HEADER_TIMEOUT_MS = 60_000;

/** A side of a WebSocket may stay open so long once the other has ended. */
export const HALF_OPEN_MS = 10_000;

/** An unused connection of a client; longer than browsers and proxies keep theirs. */
export const CLIENT_IDLE_MS = 75_000;

export const CONNECT_TIMEOUT_MS = 10_000;

/** From the request's last byte to the answer's header; once an answer has begun there is no limit. */
export const ANSWER_TIMEOUT_MS = 10 * 60_000;

/** An unused connection to a process which does not say how long it keeps one. */
export const UPSTREAM_IDLE_MS = 1500;

/** A pool that no request has used for so long is closed. */
export const POOL_IDLE_MS = 60_000;
export const POOL_SWEEP_MS = 15_000;

/** A browser sees a page when a ready target has refused for so long; a process that restarts itself does for a moment. */
export const REFUSED_LIMIT_MS = 2000;
/** The pause before a refused request is tried again: it grows by this much up to the most. */
export const REFUSED_RETRY_MS = 50;
export const MAX_REFUSED_RETRY_MS = 500;

/** How often a GET is sent again whose connection was closed: a server that restarts itself closes all of them. */
export const MAX_RESENDS = 4;
/** The first is sent at once; each other one waits so much longer. */
export const RESEND_PAUSE_MS = 250;

/** How long a program's request waits for its target, unless told otherwise. */
export const PROGRAM_WAIT_MS = 30_000;

/** A browser sees the waiting page after this. */
export const BROWSER_WAIT_MS = 200;

/** The state is looked at this often, whether a change was announced or not. */
export const RECHECK_MS = 1000;

/** Requests in flight have this long to end when the gateway closes. */
export const CLOSE_LIMIT_MS = 1500;

/** Free on 127.0.0.1 is not free on ::1: so many ports are tried when any will do. */
export const MAX_PORT_ATTEMPTS = 20;
