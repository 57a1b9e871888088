// What a tender of trees does, without the rest of the program.
import { tendTrees } from "../../src/sync/sync.ts";

process.exit(await tendTrees({ input: process.stdin, output: process.stdout }));
