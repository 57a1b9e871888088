import fc from "fast-check";
import { expect, test } from "vitest";

import { findOwnPort, isListening } from "./own-port.ts";

test.each<[code: readonly string[], port: number | undefined]>([
  [["app.listen(3000)"], 3000],
  [["app.listen(3000, '0.0.0.0', () => {})"], 3000],
  [["server.listen({ host: 'localhost', port: 8080 })"], 8080],
  [["app.listen('3000')"], 3000],
  [["const PORT = 4000;\napp.listen(PORT, () => say(`on ${PORT}`));"], 4000],
  [["const PORT: number = 4000\napp.listen(PORT)"], 4000],
  [["const port = 4000;\nawait app.listen({ port, host })"], 4000],
  [["app.listen(config.port)", "export const config = { host: 'x', port: 5000 };"], 5000],
  [["app.listen(settings.port)", "export default { port: process.env.PORT || 5000 };"], undefined],
  [["serve({ fetch: app.fetch, port: 3000 }, (info) => {})"], 3000],
  [["Bun.serve({ port: 3001, fetch() {} })"], 3001],
  [["export default { port: 3002, fetch: app.fetch }"], 3002],
  [["Deno.serve({ port: 8000 }, f)"], 8000],
  [['import { serve } from "@hono/node-server";\nserve(app)'], 3000],
  [["app.listen(process.env.PORT || 3000)"], undefined],
  [["app.listen(Number(process.env.PORT ?? 3000))"], undefined],
  [["const port = parseInt(process.env.PORT ?? '3000', 10);\napp.listen(port)"], undefined],
  [["const { PORT = 3000 } = process.env;\napp.listen(PORT)"], undefined],
  [["const port = Bun.env.PORT ?? 3000;\nserve({ port })"], undefined],
  [["app.listen(config.get('port'))"], undefined],
  [["app.listen(0)"], undefined],
  [["app.listen(70000)"], undefined],
  [["app.listen()"], undefined],
  [["// app.listen(3000)"], undefined],
  [["/* app.listen(3000) */ app.listen(env.PORT)"], undefined],
  [['say("http://localhost:3000"); app.listen(4000)'], 4000],
  [["const PORT = 3000;\nstart(PORT);"], 3000],
  [["events.on('x', () => {})"], undefined],
  [["app.listen('/run/app.sock')"], undefined],
  [[], undefined],
])("the code %j listens on %j whatever it is told", (code, port) => {
  expect(findOwnPort(code)).toBe(port);
});

test.each([
  ["app.listen(1)", true],
  ["serve(app)", true],
  ["createServer(f)", true],
  ["export default { fetch() {} }", true],
  ["// app.listen(1)", false],
  ["export function observe() {}", false],
])("whether %j waits for connections: %j", (code, expected) => {
  expect(isListening([code])).toBe(expected);
});

test("whatever stands in a file, it is a port, or none", () => {
  const pieces = fc.constantFrom(
    "app.listen(",
    "{",
    "}",
    ")",
    "port:",
    "3000",
    "//",
    "'",
    "\n",
    "=",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      const port = findOwnPort([parts.join("")]);
      return port === undefined || (port > 0 && port <= 65_535);
    }),
  );
});
