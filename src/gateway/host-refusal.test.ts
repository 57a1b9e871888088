import { expect, test } from "vitest";

import { ask, Stage, TestTarget } from "./test-stage.ts";

const HOST = "shop--x.localhost";

test.each([
  [
    "Vite",
    403,
    `Blocked request. This host ("${HOST}") is not allowed.\nTo allow this host, add "${HOST}" to \`server.allowedHosts\` in vite.config.js.`,
  ],
  ["webpack-dev-server", 403, "Invalid Host header"],
  ["Starlette", 400, "Invalid host header"],
  [
    "Django",
    400,
    `<!DOCTYPE html><title>DisallowedHost at /</title><pre>Invalid HTTP_HOST header: &#x27;${HOST}&#x27;.`,
  ],
  ["Rails", 403, `<h1>Blocked hosts: ${HOST}</h1>`],
])(
  "an answer by which %s refuses the host is passed on, and told until one is better",
  async (server, status, text) => {
    const stage = new Stage();
    try {
      let answer: { status: number; text: string } = { status, text };
      const upstream = await stage.upstream((_, response) => {
        response.writeHead(answer.status).end(answer.text);
      });
      const target = new TestTarget("shop--x", upstream.port);
      const { port } = await stage.gateway({ [HOST]: target });
      expect(await ask(port, HOST)).toMatchObject({ status, body: text });
      expect(target.reported).toMatchObject({ code: "host_blocked" });
      expect(target.reported?.message).toContain(server);

      answer = { status, text: "You may not see this." };
      await ask(port, HOST);
      expect(target.reported).toMatchObject({ code: "host_blocked" });
      answer = { status: 200, text: "well" };
      await ask(port, HOST);
      expect(target.reported).toBeNull();
    } finally {
      await stage.close();
    }
  },
);
