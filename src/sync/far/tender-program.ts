/** Whoever works in one environment's files for those who visit them, a program of its own: it is spoken to by its input. */
import { tendTrees } from "./tend-trees.ts";

process.exit(await tendTrees({ input: process.stdin, output: process.stdout }));
