import { Problem } from "../base/problem.ts";

/** Said by whichever side sees it first; `client` as it came. */
export function protocolMismatch(server: number, client: number | string): Problem {
  const isServerNewer = server > Number(client);
  return new Problem({
    code: "protocol_mismatch",
    message: `The server speaks version ${server} of the protocol, this command version ${String(client).slice(0, 10)}.`,
    remedy: isServerNewer
      ? "Upgrade this command: `npm install ramet@latest`."
      : "Upgrade the server: `ramet server restart` starts this version; environments go on.",
  });
}
