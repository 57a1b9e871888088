import type { Readable } from "node:stream";

import { answerUnreadable } from "./problems.ts";

/** The lines of a stream as they come, without empty ones; whoever leaves before its end leaves it open. @throws `answer_unreadable` for one that is too long */
export async function* readLines(stream: Readable, maxCharacters: number): AsyncGenerator<string> {
  stream.setEncoding("utf8");
  let begun: string[] = [];
  let length = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
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
