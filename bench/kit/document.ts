import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

const DOCUMENT = path.join(import.meta.dirname, "../../docs/benchmarks.md");

/** Puts a section's figures between its markers in `docs/benchmarks.md`; all else stays. @throws Error where they are missing */
export async function writeSection(name: string, markdown: string): Promise<void> {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const text = await readFile(DOCUMENT, "utf8");
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no place for ${name}.`);
  const before = text.slice(0, from + begin.length);
  await writeFile(DOCUMENT, `${before}\n${markdown}\n${text.slice(to)}`);
}
