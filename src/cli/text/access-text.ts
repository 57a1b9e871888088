import type { AuditEntryView, TokenView, UserView } from "../../protocol/access-schemas.ts";
import type { CallOutput } from "../../protocol/calls.ts";
import type { Style } from "../terminal/style.ts";
import { formatFields, formatTable } from "./table.ts";

type Caller = CallOutput<"access.whoami"> & { readonly url: string | null };

/** Who a server takes its caller for. */
export function formatCaller({ url, token, isAdmin, version }: Caller, style: Style): string {
  const mark = style.paint("green", "●");
  if (token === null) return `${mark} You are the owner of this machine's own server`;
  const title = `${mark} ${style.paint("bold", token.user)} at ${url ?? ""}`;
  const fields = [
    ["may", isAdmin ? "everything, and administer it" : describeScope(token)] as const,
    ["token", describeToken(token)] as const,
    ["until", token.expiresAt ?? "it is revoked"] as const,
    ["server", version ?? "–"] as const,
  ];
  return [title, formatFields(fields, style)].join("\n");
}

export function formatUsers(users: readonly UserView[], style: Style): string {
  if (users.length === 0) return "Nobody may ask this server from afar yet.";
  const columns = [{ title: "USER" }, { title: "ADMINISTRATOR" }, { title: "SINCE" }];
  const rows = users.map(({ name, isAdmin, createdAt }) => [
    name,
    isAdmin ? "yes" : "no",
    formatDay(createdAt),
  ]);
  return formatTable(columns, rows, style);
}

export function formatTokens(tokens: readonly TokenView[], style: Style): string {
  if (tokens.length === 0) return "There is no token that is good.";
  const columns = [
    { title: "ID" },
    { title: "USER" },
    { title: "FOR", isOptional: true },
    { title: "APPS" },
    { title: "RIGHT" },
    { title: "UNTIL" },
  ];
  const rows = tokens.map(({ id, user, label, apps, right, expiresAt }) => [
    id,
    user,
    label ?? "–",
    apps?.join(", ") ?? "all",
    right,
    expiresAt === null ? "revoked" : formatDay(expiresAt),
  ]);
  return formatTable(columns, rows, style);
}

export function formatAudit(entries: readonly AuditEntryView[], style: Style): string {
  if (entries.length === 0) return "Nothing was written yet.";
  const columns = [
    { title: "TIME" },
    { title: "WHO" },
    { title: "FROM", isOptional: true },
    { title: "WHAT" },
    { title: "ON" },
    { title: "OUTCOME" },
  ];
  const rows = entries.map((entry) => [
    entry.time,
    entry.user ?? "the owner",
    entry.address ?? "–",
    entry.call,
    [[entry.app, entry.environment].filter(Boolean).join("/"), entry.subject]
      .filter(Boolean)
      .join(" ") || "–",
    entry.outcome === "done" ? "done" : style.paint("yellow", entry.outcome),
  ]);
  return formatTable(columns, rows, style);
}

/** `read and write shop, blog`. */
export function describeScope({ apps, right }: Pick<TokenView, "apps" | "right">): string {
  const verbs = { read: "read", write: "read and write", admin: "administer" } as const;
  return `${verbs[right]} ${apps?.join(", ") ?? "all apps"}`;
}

function describeToken({ id, label }: TokenView): string {
  return label === null ? id : `${id}, ${label}`;
}

function formatDay(time: string): string {
  return time.slice(0, 10);
}
