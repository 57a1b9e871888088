// What `ramet keep <socket>` does, without the rest of the program.
import { keep } from "../../src/runtime/runtime.ts";

process.exit(await keep(process.argv[2] ?? ""));
