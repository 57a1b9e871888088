/** Answers as fast as Node can: `/` a few bytes, `/large` 100 kB; and sends each short message of a WebSocket back. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";

const small = Buffer.from("hello");
const large = Buffer.alloc(100_000, "x");
const WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

createServer((request, response) => {
  const body = request.url === "/large" ? large : small;
  response.writeHead(200, { "content-type": "text/plain", "content-length": body.length });
  response.end(body);
})
  .on("upgrade", (request, socket, head) => {
    const key = request.headers["sec-websocket-key"];
    const accept = createHash("sha1").update(`${key}${WEBSOCKET}`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    let bytes = Buffer.from(head);
    socket.on("error", () => undefined);
    socket.on("end", () => socket.end());
    socket.on("data", (/** @type {Buffer} */ chunk) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      for (let end = endOfFrame(bytes); end > 0; end = endOfFrame(bytes)) {
        socket.write(unmask(bytes.subarray(0, end)));
        bytes = bytes.subarray(end);
      }
    });
  })
  .listen(Number(process.env.PORT), process.env.HOST);

/**
 * Behind its first frame, which is of fewer than 126 bytes; 0: it is not complete.
 * @param {Buffer} bytes
 */
function endOfFrame(bytes) {
  const end = bytes.length < 2 ? Infinity : 6 + (bytes.readUInt8(1) & 0x7f);
  return bytes.length < end ? 0 : end;
}

/** @param {Buffer} frame */
function unmask(frame) {
  const answer = Buffer.from(frame.subarray(4));
  answer.writeUInt8(frame.readUInt8(0), 0);
  answer.writeUInt8(frame.readUInt8(1) & 0x7f, 1);
  for (let at = 6; at < frame.length; at += 1)
    answer.writeUInt8(frame.readUInt8(at) ^ frame.readUInt8(2 + ((at - 6) % 4)), at - 4);
  return answer;
}
