// Listens on OWN_PORT, given in the form that FORM says, and on SECOND_PORT; prints the ports on which it is.
import cluster from "node:cluster";
import { once } from "node:events";
import { createServer } from "node:http";

const port = Number(process.env.OWN_PORT);

class Options {
  host = "127.0.0.1";
  get port() {
    return String(port);
  }
}

/** @type {Record<string, unknown[]>} */
const forms = {
  text: [String(port)],
  host: [port, "127.0.0.1"],
  "host and backlog": [port, "127.0.0.1", 10],
  options: [{ port, host: "127.0.0.1" }],
  "options of a class": [new Options()],
};

if (process.env.FORM === "worker" && cluster.isPrimary) cluster.fork();
else await serve();

async function serve() {
  const servers = [forms[process.env.FORM ?? ""] ?? [port], [Number(process.env.SECOND_PORT ?? 0)]];
  const ports = await Promise.all(servers.map((args) => listen(args)));
  process.stdout.write(`${JSON.stringify(ports)}\n`);
}

/** @param {unknown[]} args */
async function listen(args) {
  const server = createServer((_request, answer) => answer.end("own")).listen(...args);
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" ? address?.port : address;
}
