// Listens on OTHER_PORT, whatever PORT says.
import { createServer } from "node:http";
createServer((_request, answer) => answer.end("elsewhere")).listen(
  Number(process.env.OTHER_PORT),
  "127.0.0.1",
);
