const LINE_END = 10;

/** What each line says. What is longer than so many bytes, or no JSON, ends it. @throws Error, SyntaxError */
export async function* readJsonLines(
  input: AsyncIterable<Uint8Array>,
  mostBytes: number,
): AsyncGenerator {
  let begun: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input) {
    let rest = chunk;
    for (let end = rest.indexOf(LINE_END); end >= 0; end = rest.indexOf(LINE_END)) {
      const line = Buffer.concat([...begun, rest.subarray(0, end)]);
      [begun, size, rest] = [[], 0, rest.subarray(end + 1)];
      yield JSON.parse(line.toString("utf8"));
    }
    begun.push(rest);
    size += rest.length;
    if (size > mostBytes) throw new Error(`A line is longer than ${mostBytes} bytes.`);
  }
}
