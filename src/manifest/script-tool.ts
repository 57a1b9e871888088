/** Programs that take their port from the command line alone, and the flags that give it to them. */
const TOOLS: readonly {
  readonly name: string;
  readonly commands: readonly string[];
  readonly flags: string;
}[] = [
  {
    name: "vite",
    commands: ["", "dev", "serve", "preview"],
    flags: "--port $PORT --strictPort --host $HOST",
  },
  { name: "react-router", commands: ["dev"], flags: "--port $PORT --strictPort --host $HOST" },
  { name: "remix", commands: ["vite:dev"], flags: "--port $PORT --strictPort --host $HOST" },
  { name: "astro", commands: ["", "dev", "preview"], flags: "--port $PORT --host $HOST" },
  { name: "next", commands: ["", "dev", "start"], flags: "-p $PORT -H $HOST" },
  { name: "ng", commands: ["serve"], flags: "--port $PORT --host $HOST" },
  { name: "webpack", commands: ["serve"], flags: "--port $PORT --host $HOST" },
  { name: "vue-cli-service", commands: ["serve"], flags: "--port $PORT --host $HOST" },
  { name: "gatsby", commands: ["develop"], flags: "-p $PORT -H $HOST" },
  { name: "parcel", commands: ["", "serve"], flags: "--port $PORT --host $HOST" },
];

/** Run what follows them; their own options and assignments stand before it. */
const WRAPPERS = new Set([
  "cross-env",
  "cross-env-shell",
  "dotenv",
  "dotenvx",
  "env",
  "npx",
  "pnpm",
  "yarn",
  "bunx",
  "bun",
  "run",
  "exec",
  "node",
  "time",
]);

/** The flags to append to a script so that it takes its port; null: it needs none, or would pass them to something else. */
export function findPortFlags(script: string): string | null {
  const [program = "", ...args] = lastCommand(script);
  const name = program.slice(program.lastIndexOf("/") + 1);
  const first = args.find((argument) => !argument.startsWith("-")) ?? "";
  const tool = TOOLS.find((candidate) => candidate.name === name);
  if (tool === undefined) return null;
  const isCommand =
    tool.commands.includes(first) ||
    (tool.commands.includes("") && (args[0] ?? "-").startsWith("-"));
  return isCommand ? tool.flags : null;
}

/** The words of the last of a script's commands: appended flags go to that one. */
function lastCommand(script: string): readonly string[] {
  const last =
    script
      .trim()
      .split(/&&|\|\||[;|&]/)
      .at(-1) ?? "";
  const wrapped = last.split(/\s--\s/).at(-1) ?? "";
  const words = wrapped.trim().split(/\s+/);
  const start = words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word) && !WRAPPERS.has(word));
  return start === -1 ? [] : words.slice(start);
}
