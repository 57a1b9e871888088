import type { Invocation } from "./invocation.ts";
import { isThere, type Sources } from "./sources.ts";

/** Options of the runners whose next word is their value. */
const VALUES = new Set(
  (
    "-r --require --import --loader --experimental-loader --env-file -C " +
    "--conditions --watch-path -e --ext -w --watch -i --ignore --delay " +
    "--exec -x --project -P --tsconfig --signal -s --env-file-if-exists"
  ).split(" "),
);
/** Of Node itself and tsx a flag alone. */
const FLAG_OF_NODE = new Set(["--watch", "-w", "-i", "-e", "-x", "-s"]);
const SUBCOMMANDS = new Set(["watch", "run", "start", "--"]);

const EXTENSIONS = ["", ".js", ".ts", ".mjs", ".cjs", ".mts", ".cts", ".tsx", ".jsx"];

/** The file that a runner is told to run; undefined when that cannot be seen. */
export function findEntryFile(invocation: Invocation, sources: Sources): string | undefined {
  if (invocation.program === "nest") return findFile("src/main", sources);
  const nested = invocation.args[findExec(invocation) + 1];
  if (findExec(invocation) !== -1 && nested?.includes(" ") === true)
    return findFile(nested.split(/\s+/).at(-1) ?? "", sources);
  const word = findWord(invocation);
  if (word === undefined || word === ".") return findFile(sources.file.main ?? "index.js", sources);
  return findFile(word, sources);
}

function findExec({ args }: Invocation): number {
  return args.findIndex((argument) => argument === "--exec" || argument === "-x");
}

function findWord({ program, args }: Invocation): string | undefined {
  return args.find((word, at) => {
    if (word.startsWith("-") || SUBCOMMANDS.has(word)) return false;
    const before = args[at - 1] ?? "";
    if (!VALUES.has(before)) return true;
    return program !== "nodemon" && FLAG_OF_NODE.has(before);
  });
}

/** With the ending that Node would try, or TypeScript's; as it is written when it lies where nothing is known. */
export function findFile(name: string, sources: Sources): string | undefined {
  const inner = name.replace(/^\.\//, "").replace(/\/$/, "");
  if (inner === "" || inner.startsWith("/") || inner.split("/").includes("..")) return undefined;
  const candidates = EXTENSIONS.flatMap((extension) => [`${inner}${extension}`]);
  const sure = candidates.find((file) => sources.paths.has(file) && /\.\w+$/.test(file));
  if (sure !== undefined) return sure;
  if (sources.paths.has(`${inner}/index.js`)) return `${inner}/index.js`;
  if (sources.paths.has(`${inner}/index.ts`)) return `${inner}/index.ts`;
  return isThere(sources, inner) ? inner : undefined;
}
