import { flag } from "../grammar/command-shape.ts";
import { defineCommand } from "../session/command.ts";
import { trustNowhere } from "../session/problems.ts";
import { changeTrust } from "../session/trust-stores.ts";
import type { TrustStore } from "../session/trust-stores.ts";
import type { Style } from "../terminal/style.ts";

export const trust = defineCommand({
  name: "trust",
  summary: "Make this machine's browsers trust https:// at every environment's address",
  description:
    "Every address answers https:// as well, at the same port. Its certificate is from an authority of this server's own, " +
    "which can vouch for names at and below localhost alone. Its key stays in the server's home, for its owner only.",
  options: { undo: flag("Trust it no longer") },
  isOfMachine: true,
  examples: [
    { line: "ramet trust", why: "Once; then https:// is as good as http://" },
    { line: "sudo ramet trust", why: "The system's store too: curl, Python, Go" },
    { line: "ramet trust --undo", why: "As it was before" },
  ],
  async run(input, session) {
    const { environment, uid } = session.context;
    const authority = await session.call("server.authority", {});
    const stores = await changeTrust({
      authority,
      isUndone: input.has("undo"),
      isRoot: uid === 0,
      userHome: environment["HOME"] ?? "/",
      environment,
    });
    if (stores.every(({ state }) => state === "unchanged")) throw trustNowhere(stores);
    const { name, file, fingerprint, expiresAt } = authority;
    return { name, file, fingerprint, expiresAt, stores };
  },
  toText({ name, file, fingerprint, stores }, style) {
    const isTrusted = stores.some(({ state }) => state === "trusted");
    return [
      style.paint("bold", name),
      `  ${style.paint("dim", `SHA-256 ${fingerprint}`)}`,
      ...stores.map((store) => formatStore(store, style)),
      ...(isTrusted ? [`  For Node programs: NODE_EXTRA_CA_CERTS=${file}`] : []),
    ].join("\n");
  },
});

const MARKS = {
  trusted: ["✓", "green"],
  removed: ["✓", "green"],
  unchanged: ["–", "dim"],
} as const;

function formatStore({ store, place, state, why }: TrustStore, style: Style): string {
  const [mark, paint] = MARKS[state];
  const reason = why === null ? "" : `: ${why}`;
  return `${style.paint(paint, mark)} ${store} ${state}${reason} ${style.paint("dim", place)}`;
}
