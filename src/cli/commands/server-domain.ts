import path from "node:path";

import type { CallOutput } from "../../protocol/calls.ts";
import { flag, value } from "../grammar/command-shape.ts";
import { flagValueMissing, flagsExclusive } from "../grammar/problems.ts";
import { defineCommand } from "../session/command.ts";
import type { Style } from "../terminal/style.ts";
import { formatFields } from "../text/table.ts";

type Domain = CallOutput<"server.domain">;

export const serverDomain = defineCommand({
  name: "server domain",
  summary: "Reach environments below a domain of your own too",
  description:
    "An environment is then at APP--ENV.NAME as well, its second process at APP--ENV--PROCESS.NAME: one certificate, for *.NAME, " +
    "is enough. The gateway listens on this machine alone: a tunnel or a proxy brings requests to its port, Host unchanged. " +
    "A certificate that is renewed in place is taken up by itself.",
  positionals: [{ name: "NAME", kind: "optional", summary: "Such as dev.example.com" }],
  options: {
    certificate: value("FILE", "PEM, for *.NAME, with what vouches for it"),
    key: value("FILE", "PEM, the certificate's"),
    off: flag("No domain any more"),
  },
  isOfMachine: true,
  examples: [
    { line: "ramet server domain", why: "Whether there is one" },
    {
      line: "ramet server domain dev.example.com --certificate full.pem --key key.pem",
      why: "A wildcard certificate that you have",
    },
    { line: "ramet server domain --off", why: "As it was before" },
  ],
  async run(input, session): Promise<Domain> {
    const name = input.optional("NAME");
    const [certificate, key] = [input.value("certificate"), input.value("key")];
    if (input.has("off")) {
      if (name !== null) throw flagsExclusive("--off", JSON.stringify(name));
      return session.call("server.domain", { change: { domain: null } });
    }
    if (name === null) return session.call("server.domain", { change: null });
    if (certificate === null) throw flagValueMissing("--certificate", "FILE");
    if (key === null) throw flagValueMissing("--key", "FILE");
    const { folder } = session.context;
    const files = {
      certificate: path.resolve(folder, certificate),
      key: path.resolve(folder, key),
    };
    return session.call("server.domain", {
      change: { domain: { name: name.toLowerCase(), ...files } },
    });
  },
  toText: formatDomain,
});

function formatDomain(domain: Domain, style: Style): string {
  if (domain === null) return `${style.paint("dim", "○")} No domain of its own`;
  const { name, certificate, key } = domain;
  return [
    `${style.paint("green", "●")} Environments are at APP--ENV.${style.paint("bold", name)} too`,
    formatFields(
      [
        ["certificate", certificate],
        ["key", key],
      ],
      style,
    ),
  ].join("\n");
}
