// Answers with its name on PORT, or after DELAY_MS; STATUS sets the answer's code.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
const { PORT, HOST = "127.0.0.1", DELAY_MS = "0", STATUS = "200", NAME = "app" } = process.env;
await sleep(Number(DELAY_MS));
const server = createServer((_request, answer) => answer.writeHead(Number(STATUS)).end(NAME));
server.listen(Number(PORT), HOST, () => console.log(`listening on ${PORT}`));
