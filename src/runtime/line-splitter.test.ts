import fc from "fast-check";
import { expect, test } from "vitest";

import { LineSplitter } from "./line-splitter.ts";

test("lines are the same, however the bytes are cut", () => {
  const text = fc.array(
    fc.string({ unit: "binary", maxLength: 20 }).map((one) => one.replace(/[\r\n]/g, "·")),
  );
  fc.assert(
    fc.property(text, fc.array(fc.nat({ max: 60 })), (lines, cuts) => {
      const splitter = new LineSplitter(1_000);
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      const heard: string[] = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        heard.push(...splitter.push(bytes.subarray(at, at + cut)));
        at += cut;
      }
      expect([...heard, ...splitter.end()]).toEqual(
        lines.map((line) => Buffer.from(line).toString()),
      );
    }),
  );
});

test("an end without a newline is a line, and a carriage return before the newline is none of it", () => {
  const splitter = new LineSplitter(100);

  expect(splitter.push(Buffer.from("one\r\n\nthr"))).toEqual(["one", ""]);
  expect(splitter.push(Buffer.from("ee"))).toEqual([]);
  expect(splitter.end()).toEqual(["three"]);
  expect(splitter.end()).toEqual([]);
});

test("a line that is too long is cut between characters and loses nothing", () => {
  const splitter = new LineSplitter(10);
  const lines = splitter.push(Buffer.from(`${"€".repeat(7)}\n`));

  expect(lines.join("")).toBe("€".repeat(7));
  expect(lines.every((line) => Buffer.byteLength(line) <= 10)).toBe(true);
});

test("bytes that are no text become replacement characters, colours are kept", () => {
  expect(new LineSplitter(100).push(Buffer.from([0xff, 0x41, 0x0a]))).toEqual(["\uFFFDA"]);
  expect(new LineSplitter(100).push(Buffer.from("\u001B[31mred\u001B[0m\n"))).toEqual([
    "\u001B[31mred\u001B[0m",
  ]);
  expect(new LineSplitter(4).push(Buffer.alloc(9, 0x80))).toHaveLength(2);
});
