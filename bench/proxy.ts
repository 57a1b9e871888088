/** A program: `node bench/proxy.ts httpxy|http-proxy-3 TARGET_PORT PORT`. A plain proxy, to be measured beside the gateway. */
import { Agent, createServer } from "node:http";
import { Socket } from "node:net";

import { createProxyServer as createHttpProxy3 } from "http-proxy-3";
import { createProxyServer as createHttpxy } from "httpxy";

const [kind, targetPort, port] = process.argv.slice(2);
/** The connections to the target are kept, and it is told who asks: as the gateway does. */
const options = { target: `http://127.0.0.1:${targetPort}`, xfwd: true };

if (kind === "httpxy") {
  const proxy = createHttpxy(options);
  createServer((request, response) => void proxy.web(request, response))
    .on("upgrade", (request, socket, head) => {
      if (socket instanceof Socket) void proxy.ws(request, socket, {}, head);
    })
    .listen(listening());
} else {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 });
  const proxy = createHttpProxy3({ ...options, agent });
  createServer((request, response) => proxy.web(request, response))
    .on("upgrade", (request, socket, head) => {
      if (socket instanceof Socket) proxy.ws(request, socket, head);
    })
    .listen(listening());
}

function listening(): { host: string; port: number } {
  return { host: "127.0.0.1", port: Number(port) };
}
