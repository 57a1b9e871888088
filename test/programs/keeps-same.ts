/** Keeps two folders the same until it is killed: `node keeps-same.ts WORKSPACE TREE HOME`. Prints each merge. */
import { keepMerged } from "../../src/sync/sync.ts";

const [local = "", remote = "", home = ""] = process.argv.slice(2);
const signal = new AbortController().signal;

process.stdout.write("begun\n");
for await (const merged of keepMerged({ local, remote, home }, { prefer: null, signal }))
  process.stdout.write(`${JSON.stringify({ ...merged, left: [...merged.left.keys()] })}\n`);
