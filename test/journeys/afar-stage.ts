/** A listener for calls from afar, in TLS, before the engine of a call stage; and a caller that may send any bytes. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { connect } from "node:tls";

import { createServerCertificate } from "../../src/base/certificates.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION, TOKEN_HEADER } from "../../src/protocol/headers.ts";
import { openRemoteListener } from "../../src/server/afar/remote-listener.ts";
import type { RemoteListenerOptions } from "../../src/server/afar/remote-listener.ts";
import { openCallStage } from "./call-stage.ts";
import type { CallStage } from "./call-stage.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** What the listener's certificate is for, besides 127.0.0.1. */
export const NAME = "ramet.test";

export type AfarStage = {
  readonly calls: CallStage;
  /** PEM: the listener's certificate, which is its own authority. */
  readonly certificate: string;
  readonly files: { readonly certificate: string; readonly key: string };
  /** A token that may do anything but administer, in full. */
  readonly token: string;
  readonly port: number;
  /** The same with another screen, or none. */
  open(changes: Partial<RemoteListenerOptions>): Promise<{ port: number; close(): Promise<void> }>;
  close(): Promise<void>;
};

export async function openAfarStage(): Promise<AfarStage> {
  const calls = await openCallStage();
  const { folder } = calls.engine;
  const files = {
    certificate: path.join(folder, "tls-cert.pem"),
    key: path.join(folder, "tls-key.pem"),
  };
  const certificate = await writeCertificate(files);
  await calls.access.addUser("anna", false);
  const { text: token } = await calls.access.createToken({
    user: "anna",
    label: null,
    apps: null,
    right: "write",
    lifeMs: DAY_MS,
  });
  const open: AfarStage["open"] = async (changes) =>
    openRemoteListener({
      session: calls.session,
      log: () => undefined,
      note: async (entry) => calls.access.audit.note(entry),
      access: calls.access,
      listening: { host: "127.0.0.1", port: 0, cover: { kind: "tls", ...files } },
      ...changes,
    });
  const listener = await open({});
  return {
    calls,
    certificate,
    files,
    token,
    port: listener.port,
    open,
    close: async () => {
      await listener.close();
      await calls.close();
    },
  };
}

/** Also over one that is there. */
export async function writeCertificate(files: AfarStage["files"]): Promise<string> {
  const now = Date.now();
  const validity = { from: new Date(now - DAY_MS), until: new Date(now + DAY_MS) };
  const pair = await createServerCertificate([NAME, "127.0.0.1"], { validity, authority: null });
  await writeFile(files.key, pair.key, { mode: 0o600 });
  await writeFile(files.certificate, pair.certificate);
  return pair.certificate;
}

export type Headers = readonly (readonly [name: string, text: string])[];

/** The headers of a call as the command line sends it. */
export function headersOf(token: string, host: string = NAME): Headers {
  return [
    ["host", host],
    ["content-type", "application/json"],
    [TOKEN_HEADER, token],
    [PROTOCOL_HEADER, String(PROTOCOL_VERSION)],
  ];
}

type Sent = {
  readonly headers: Headers;
  readonly body?: string;
  readonly call?: string;
  /** Hears all that has come so far, again and again. */
  readonly onData?: (soFar: string) => void;
};

/** All that comes back for these very bytes. */
export async function exchange(
  port: number,
  ca: string,
  { headers, body = "{}", call = "app.list", onData }: Sent,
): Promise<string> {
  const lines = [
    `POST /calls/${call} HTTP/1.1`,
    ...headers.map(([name, text]) => `${name}: ${text}`),
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  const socket = connect({ host: "127.0.0.1", port, ca: [ca], servername: NAME });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    onData?.(Buffer.concat(chunks).toString("utf8"));
  });
  socket.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
  socket.on("error", reject);
  socket.write(Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`, "utf8"));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
