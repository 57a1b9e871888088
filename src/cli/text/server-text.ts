import type { ServerStatus } from "../../protocol/schemas.ts";
import { formatAge } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";
import { formatFields } from "./table.ts";

export function formatServer(status: ServerStatus, style: Style): string {
  const fields: (readonly [string, string])[] = [["home", status.home]];
  if (!status.running) {
    return [
      `${style.paint("dim", "○")} The server is not running`,
      formatFields(fields, style),
    ].join("\n");
  }
  const since =
    status.startedAt === null ? "" : `, since ${formatAge(status.startedAt, style.now)}`;
  const socket = status.databaseSocket === null ? [] : [status.databaseSocket];
  fields.unshift(
    ["version", status.version ?? "–"],
    ["process", `${status.pid ?? "–"}${since}`],
    ["gateway", formatPort(status.gatewayPort)],
    ...(status.listenArguments === null
      ? []
      : [["for others", status.listenArguments.join(" ")] as const]),
    ["databases", [formatPort(status.databasePort), ...socket].join(", ")],
  );
  return [`${style.paint("green", "●")} The server is running`, formatFields(fields, style)].join(
    "\n",
  );
}

function formatPort(port: number | null): string {
  return port === null ? "–" : `127.0.0.1:${port}`;
}
