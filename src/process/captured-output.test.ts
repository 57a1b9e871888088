import fc from "fast-check";
import { expect, test } from "vitest";

import { CapturedOutput } from "./captured-output.ts";

/** What is kept of all bytes, said the slow way. */
function expected(bytes: Buffer, most: number): string {
  const half = Math.max(1, Math.floor(most / 2));
  if (bytes.length <= 2 * half) return bytes.toString("utf8");
  const head = bytes.subarray(0, half).toString("utf8");
  const tail = bytes.subarray(bytes.length - half).toString("utf8");
  return `${head}\n… ${bytes.length - 2 * half} bytes left out …\n${tail}`;
}

function capture(chunks: readonly Uint8Array[], most: number): string {
  const captured = new CapturedOutput(most);
  for (const chunk of chunks) captured.push(Buffer.from(chunk));
  return captured.text();
}

test("what is kept is the beginning and the end, however the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 200 }),
      (chunks, most) => {
        expect(capture(chunks, most)).toBe(expected(Buffer.concat(chunks), most));
      },
    ),
  );
});

test("asking twice gives the same, and more may come after", () => {
  const captured = new CapturedOutput(8);
  captured.push(Buffer.from("abcd"));
  expect([captured.text(), captured.text()]).toEqual(["abcd", "abcd"]);
  captured.push(Buffer.from("efghijkl"));
  expect(captured.text()).toBe("abcd\n… 4 bytes left out …\nijkl");
  captured.push(Buffer.from("m"));
  expect(captured.text()).toBe("abcd\n… 5 bytes left out …\njklm");
});

test("a character that lies across the middle of what is kept whole stays whole", () => {
  expect(capture([Buffer.from("€€")], 6)).toBe("€€");
  expect(capture([Buffer.from("a€b")], 5)).toContain("left out");
  expect(capture([Buffer.from("aa€")], 6)).toBe("aa€");
});

test.each([0, 1, 2, -5])("a limit of %i keeps a byte of each end, and counts the rest", (most) => {
  expect(capture([Buffer.from("abc")], most)).toBe("a\n… 1 bytes left out …\nc");
});

test("nothing printed is no text", () => {
  expect(capture([], 100)).toBe("");
  expect(capture([Buffer.alloc(0)], 100)).toBe("");
});

test("a flood leaves no more in memory than the limit and a chunk", () => {
  const captured = new CapturedOutput(1_000);
  const chunk = Buffer.alloc(64 * 1024, "x");
  for (let round = 0; round < 1_000; round += 1) captured.push(chunk);
  const text = captured.text();
  expect(text).toContain(`${1_000 * chunk.length - 1_000} bytes left out`);
  expect(text.length).toBeLessThan(1_100);
});
