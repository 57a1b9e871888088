import { flag, value } from "../grammar/command-shape.ts";
import { flagInvalid, flagsExclusive } from "../grammar/problems.ts";
import { defineCommand } from "../session/command.ts";
import { describeScope } from "../text/access-text.ts";

const DEFAULT_DAYS = 90;
const MOST_DAYS = 3650;

export const tokenCreate = defineCommand({
  name: "token create",
  summary: "Make a token for a user; it is shown this once",
  positionals: [{ name: "USER", kind: "required", summary: "Whose it is" }],
  options: {
    apps: value("APP,APP", "Good for these apps alone; otherwise for all"),
    read: flag("To read only: lists, logs, files; no SQL, no secrets, no database password"),
    admin: flag("To administer the server too; for an administrator"),
    days: value("N|never", `How long it is good (${DEFAULT_DAYS} days)`),
    label: value("TEXT", "What it is for, such as laptop or ci", "l"),
  },
  examples: [
    { line: "ramet token create anna", why: "To work on all apps, for 90 days" },
    {
      line: "ramet token create ci --apps shop --days 365 --label github",
      why: "For one app, in a script",
    },
    { line: "ramet token create boss --read", why: "To look, and change nothing" },
  ],
  async run(input, session) {
    if (input.has("read") && input.has("admin")) throw flagsExclusive("--read", "--admin");
    return session.call("token.create", {
      user: input.required("USER"),
      label: input.value("label"),
      apps: input.value("apps")?.split(",") ?? null,
      right: chooseRight(input.has("read"), input.has("admin")),
      days: parseDays(input.value("days")),
    });
  },
  hints: () => [
    { line: "ramet login https://HOST:PORT", why: "Where they work; it asks for the token" },
  ],
  toText: (token, style) => {
    const until = token.expiresAt === null ? "until it is revoked" : `until ${token.expiresAt}`;
    return [
      token.text,
      style.paint("dim", `  ${token.user} may ${describeScope(token)}, ${until}.`),
      style.paint("dim", `  It is kept nowhere; ramet token revoke ${token.id} ends it.`),
    ].join("\n");
  },
});

function chooseRight(isRead: boolean, isAdmin: boolean): "read" | "write" | "admin" {
  if (isAdmin) return "admin";
  return isRead ? "read" : "write";
}

function parseDays(text: string | null): number | null {
  if (text === null) return DEFAULT_DAYS;
  if (text === "never") return null;
  const days = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= MOST_DAYS) return days;
  throw flagInvalid("--days", text, `a number from 1 to ${MOST_DAYS}, or never`);
}
