/** Answers as fast as Node can: `/` a few bytes, `/large` 100 kB. */
import { createServer } from "node:http";

const small = Buffer.from("hello");
const large = Buffer.alloc(100_000, "x");

createServer((request, response) => {
  const body = request.url === "/large" ? large : small;
  response.writeHead(200, { "content-type": "text/plain", "content-length": body.length });
  response.end(body);
}).listen(Number(process.env.PORT), process.env.HOST);
