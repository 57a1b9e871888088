import path from "node:path";

import { serverListens } from "../connection/problems.ts";
import { parseServerUrl } from "../connection/remote-server.ts";
import { findStartingServer } from "../connection/server-process.ts";
import { flag, value } from "../grammar/command-shape.ts";
import { flagValueMissing, flagsExclusive } from "../grammar/problems.ts";
import { defineCommand } from "../session/command.ts";
import { sendAway } from "../session/send-away.ts";
import type { Session } from "../session/session.ts";
import { readVersion } from "../session/version.ts";
import type { ListenRequest } from "../terminal/context.ts";

export const serve = defineCommand({
  name: "serve",
  summary: "Run the server in the foreground; with --listen for others too",
  description:
    "Commands of this machine's user come by a unix socket in any case. With --listen it answers those of others too, with a token " +
    "each (`ramet user add`, `ramet token create`), over TLS. Behind a proxy that ends TLS say the URL by which clients know it. A server that a command has started on this machine makes room for it.",
  isOfMachine: true,
  options: {
    listen: value("ADDRESS[:PORT]", "Answer calls from afar, such as 0.0.0.0:7443"),
    "tls-cert": value("FILE", "PEM, with what vouches for it; renewed in place it is taken up"),
    "tls-key": value("FILE", "PEM, the certificate's"),
    "behind-proxy": value("URL", "A proxy ends TLS, and clients know the server by this URL"),
    "trust-network": flag(
      "Behind a proxy on another machine: let tokens pass the network in the clear",
    ),
  },
  examples: [
    { line: "ramet serve", why: "In a terminal, until Ctrl-C" },
    {
      line: "RAMET_HOME=/srv/ramet ramet serve",
      why: "With its things in another folder, under a service manager",
    },
    {
      line: "ramet serve --listen 0.0.0.0:7443 --tls-cert full.pem --tls-key key.pem",
      why: "For a team",
    },
    {
      line: "ramet serve --listen 127.0.0.1:7443 --behind-proxy https://ramet.example.com",
      why: "Behind nginx or Caddy",
    },
  ],
  async run(input, session) {
    const { serve: start, folder } = session.context;
    if (start === undefined) throw new Error("This program was not given a server to run.");
    const listen = parseListen(folder, {
      address: input.value("listen"),
      certificate: input.value("tls-cert"),
      key: input.value("tls-key"),
      proxy: input.value("behind-proxy"),
      trustsNetwork: input.has("trust-network"),
    });
    if (listen !== undefined) await makeRoom(session);
    return { exitCode: await start(await readVersion(), listen) };
  },
  isSilent: true,
  toText: () => "",
  exitCode: ({ exitCode }) => exitCode,
});

/** A server that some command has started listens to nobody elsewhere: it gives up its place. @throws `server_listens` */
async function makeRoom(session: Session): Promise<void> {
  const { home, signal } = session.context;
  const there = await findStartingServer(home, signal);
  if (there === undefined) return;
  if (there.listenArguments !== null) throw serverListens(there.pid, there.listenArguments);
  session.note("A command has started a server already: it makes room, and environments go on.");
  await sendAway(session, there);
}

type Said = {
  readonly address: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
  readonly proxy: string | null;
  readonly trustsNetwork: boolean;
};

/** undefined: it listens for this machine's user alone. @throws `flag_value_missing`, `flags_exclusive`, `server_url_invalid` */
function parseListen(folder: string, said: Said): ListenRequest | undefined {
  const { address, trustsNetwork } = said;
  const cover = parseCover(folder, said);
  if (address !== null) return { address, cover, trustsNetwork };
  if (cover !== null) throw flagValueMissing("--listen", "ADDRESS[:PORT]");
  return undefined;
}

function parseCover(folder: string, { certificate, key, proxy }: Said): ListenRequest["cover"] {
  if (proxy !== null) {
    if (certificate !== null || key !== null) throw flagsExclusive("--behind-proxy", "--tls-cert");
    return { kind: "proxy", url: new URL(parseServerUrl(proxy)) };
  }
  if (certificate === null && key === null) return null;
  if (certificate === null) throw flagValueMissing("--tls-cert", "FILE");
  if (key === null) throw flagValueMissing("--tls-key", "FILE");
  const files = { certificate: path.resolve(folder, certificate), key: path.resolve(folder, key) };
  return { kind: "tls", ...files };
}
