// What `ramet keep <socket> [own-network]` does, without the rest of the program.
import { keep } from "../../src/runtime/runtime.ts";

process.exit(
  await keep(process.argv[2] ?? "", { hasOwnNetwork: process.argv[3] === "own-network" }),
);
