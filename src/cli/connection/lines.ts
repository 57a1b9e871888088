import type { Readable } from "node:stream";

import { answerUnreadable } from "./problems.ts";

/** The lines of a stream as they come, without empty ones. @throws `answer_unreadable` for one that is too long */
export async function* readLines(stream: Readable, maxCharacters: number): AsyncGenerator<string> {
  stream.setEncoding("utf8");
  let begun: string[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const [first = "", ...others] = String(chunk).split("\n");
    begun.push(first);
    length += first.length;
    if (length > maxCharacters)
      throw answerUnreadable(`a line has more than ${maxCharacters} characters`);
    for (const next of others) {
      const line = begun.join("");
      begun = [next];
      length = next.length;
      if (line !== "") yield line;
    }
  }
  // What follows the last line break was cut off: a message ends with one.
}
