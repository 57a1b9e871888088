// Serves until it is asked for /crash.
import { createServer } from "node:http";
createServer((request, answer) => {
  if (request.url === "/crash") throw new Error("it was asked to crash");
  answer.end("well");
}).listen(Number(process.env.PORT), "127.0.0.1");
