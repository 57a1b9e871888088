// Tries to read each file that it is told of, and to write to it; says what it could, as whom, and which networks there are.
import { appendFileSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";

const could = [];
for (const file of JSON.parse(process.argv[2])) {
  for (const [name, use] of [
    ["read", () => readFileSync(file)],
    ["write", () => appendFileSync(file, "")],
  ]) {
    try {
      use();
      could.push(`${name} ${file}`);
    } catch {
      // It cannot.
    }
  }
}
console.log(
  JSON.stringify({ could, networks: Object.keys(networkInterfaces()), uid: process.getuid() }),
);
