import path from "node:path";

import { Problem } from "../../base/problem.ts";
import type { CallOutput } from "../../protocol/calls.ts";
import { confirmFingerprint, normalizeFingerprint } from "../connection/fingerprints.ts";
import { writeLogin } from "../connection/login-file.ts";
import { findProxy } from "../connection/proxies.ts";
import { serverNotPlain, tokenMissing } from "../connection/remote-problems.ts";
import { parseServerUrl, readPemFile } from "../connection/remote-server.ts";
import { createHome } from "../connection/server-process.ts";
import { value } from "../grammar/command-shape.ts";
import { flagsExclusive } from "../grammar/problems.ts";
import { defineCommand } from "../session/command.ts";
import type { Context } from "../terminal/context.ts";
import type { Proxy, RemoteServer, Trust } from "../terminal/context.ts";
import { readSecret } from "../terminal/prompts.ts";
import { formatCaller } from "../text/access-text.ts";

export const login = defineCommand({
  name: "login",
  summary: "Use a server elsewhere: all commands are for it from then on",
  description:
    "The token is read from the terminal, from standard input, or from RAMET_TOKEN; it is kept for this user alone, and sent to " +
    "no other address. Scripts set RAMET_SERVER and RAMET_TOKEN instead (RAMET_CA=FILE too, for an authority of your own); " +
    "RAMET_SERVER=local is this machine's own server.",
  isOfMachine: true,
  positionals: [{ name: "URL", kind: "required", summary: "Such as https://ramet.example.com" }],
  options: {
    ca: value("FILE", "PEM of the authority of your own that vouches for its certificate"),
    fingerprint: value("SHA256", "Of its own certificate, which nobody vouches for"),
  },
  examples: [
    { line: "ramet login https://ramet.example.com", why: "Asks for the token" },
    {
      line: "ramet login https://10.0.0.5:7443 --ca team-ca.pem < token.txt",
      why: "With an authority of your own",
    },
    {
      line: "ramet login https://10.0.0.5:7443 --fingerprint 3F:A0:…",
      why: "As the server printed it when it started",
    },
  ],
  async run(input, session) {
    const { context } = session;
    const url = parseServerUrl(input.required("URL"));
    const proxy = findProxy(url, context.environment);
    const trust = await findTrust(
      context,
      { url, proxy, isJson: session.isJson },
      {
        authority: input.value("ca"),
        fingerprint: input.value("fingerprint"),
      },
    );
    const server = { url, token: await readToken(context), trust, proxy };
    const caller = await askWho(server, context);
    await createHome(context);
    await writeLogin(context.home.folder, server);
    return { url, ...caller };
  },
  toText: formatCaller,
  hints: () => [
    { line: "ramet env list --all", why: "What is there" },
    { line: "ramet logout", why: "Back to this machine's own server" },
  ],
});

type About = {
  readonly url: string;
  readonly proxy: Proxy | undefined;
  readonly isJson: boolean;
};

/** @throws `flags_exclusive`, `fingerprint_other`, `fingerprint_unconfirmed` */
async function findTrust(
  context: Context,
  about: About,
  { authority, fingerprint }: { authority: string | null; fingerprint: string | null },
): Promise<Trust> {
  if (authority !== null && fingerprint !== null) throw flagsExclusive("--ca", "--fingerprint");
  if (authority !== null) {
    const file = path.resolve(context.folder, authority);
    return { authority: await readPemFile(file), pinned: null };
  }
  if (about.url.startsWith("http:")) return { authority: null, pinned: null };
  const expected = fingerprint === null ? null : normalizeFingerprint(fingerprint);
  return { authority: null, pinned: await confirmFingerprint(context, { ...about, expected }) };
}

async function readToken(context: Context): Promise<string> {
  const { RAMET_TOKEN: given = "" } = context.environment;
  const token = given === "" ? (await readSecret(context, "Token")).trim() : given;
  if (token === "") throw tokenMissing();
  return token;
}

/** Whether the token is good is found out before anything is kept. */
async function askWho(
  server: RemoteServer,
  { signal }: Context,
): Promise<CallOutput<"access.whoami">> {
  const { callServer } = await import("../connection/client.ts");
  try {
    return await callServer(server, { name: "access.whoami", input: {} }, { signal });
  } catch (error) {
    const isCut = error instanceof Problem && error.code === "connection_lost";
    throw isCut && server.url.startsWith("http:") ? serverNotPlain(server.url) : error;
  }
}
