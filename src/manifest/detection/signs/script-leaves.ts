import { type Invocation, parseInvocation } from "./invocation.ts";
import { parseShell, type ShellCommand } from "./shell.ts";

export type Scripts = Readonly<Record<string, string>>;

/** One command that runs on when a script has got as far as it gets. */
export type Leaf = {
  /** As it is written. */
  readonly text: string;
  /** The text in whose end it stands: what is appended to that goes to it. */
  readonly script: string;
  readonly invocation: Invocation;
  /** The scripts called on the way to it, the nearest to the person first. */
  readonly calls: readonly Call[];
  /** Its last words are its caller's: `pnpm with-env next dev`, whose own script ends in `--`. */
  readonly isForwarded: boolean;
};

export type Call = {
  readonly manager: "npm" | "pnpm" | "yarn" | "bun";
  readonly name: string;
};

const MAX_DEPTH = 8;
const MAX_LEAVES = 16;

/** What runs side by side at the end of a script, behind every script that it calls. */
export function listLeaves(script: string, scripts: Scripts): readonly Leaf[] {
  const all = new Map(Object.entries(scripts));
  return resolve(script, { scripts: all, calls: [], seen: [], isForwarded: false });
}

type Way = Pick<Leaf, "calls" | "isForwarded"> & {
  readonly scripts: ReadonlyMap<string, string>;
  /** The names of all scripts on the way, those with words of their caller's too. */
  readonly seen: readonly string[];
};

function resolve(script: string, way: Way): readonly Leaf[] {
  if (way.seen.length > MAX_DEPTH) return [];
  const groups = splitGroups(parseShell(script));
  const leaves = groups.flatMap((group) => {
    const last = findLast(group);
    const isHere = !group.some(({ words }) => words[0] === "cd");
    return last === undefined ? [] : expand(last, { ...way, script, isHere });
  });
  return leaves.slice(0, MAX_LEAVES);
}

/** `a & b && c`: what is separated by `&` runs side by side. */
function splitGroups(commands: readonly ShellCommand[]): readonly (readonly ShellCommand[])[] {
  const groups: ShellCommand[][] = [[]];
  for (const command of commands) {
    if (command.words[0] !== "wait") groups.at(-1)?.push(command);
    if (command.next === "&") groups.push([]);
  }
  return groups.filter((group) => group.length > 0);
}

/** The last one, or of a pipe at the end its first. */
function findLast(group: readonly ShellCommand[]): ShellCommand | undefined {
  const pipe = group.findLastIndex(({ next }, at) => next !== "|" && at < group.length - 1);
  return group[pipe + 1];
}

type Standing = Way & {
  readonly script: string;
  /** No `cd` leads to another package before it. */
  readonly isHere: boolean;
};

function expand(command: ShellCommand, standing: Standing): readonly Leaf[] {
  const invocation = parseInvocation(command.words);
  const called = findCall(invocation, standing);
  if (called !== undefined) return follow(called, listForwarded(called, invocation), standing);
  const parts = listParts(invocation, standing.scripts);
  if (parts.length === 0) {
    const { script, calls, isForwarded } = standing;
    return [{ text: command.text, script, invocation, calls, isForwarded }];
  }
  return parts.flatMap((part) => resolve(part, { ...standing, calls: [...standing.calls] }));
}

/** What is called with more words stands for nothing by its name alone. */
function follow(call: Call, more: readonly string[], standing: Standing): readonly Leaf[] {
  const { scripts, calls } = standing;
  if (standing.seen.includes(call.name)) return [];
  const seen = [...standing.seen, call.name];
  const script = scripts.get(call.name) ?? "";
  if (more.length === 0 && !standing.isForwarded)
    return resolve(script, { scripts, calls: [...calls, call], seen, isForwarded: false });
  return resolve([script, ...more].join(" "), { scripts, calls, seen, isForwarded: true });
}

/** The words that a call hands on to its script; npm hands on what follows `--` alone. */
function listForwarded({ manager, name }: Call, { args }: Invocation): readonly string[] {
  const dashes = args.indexOf("--");
  if (manager === "npm" && dashes === -1) return [];
  const more = args.slice((manager === "npm" ? dashes : args.indexOf(name)) + 1);
  return (more[0] === "--" ? more.slice(1) : more).map(quote);
}

function quote(word: string): string {
  return /^[\w./:=@+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

const MANAGERS = ["npm", "pnpm", "yarn", "bun"] as const;
const OWN_COMMANDS = ["start", "test", "restart", "stop"];

/** `npm run x`, `npm start`, `yarn x`: a script of the same package. */
function findCall({ program, args }: Invocation, standing: Standing): Call | undefined {
  const manager = MANAGERS.find((one) => one === program);
  if (manager === undefined || !standing.isHere || args.some(isElsewhere)) return undefined;
  const name = findName(manager, args);
  return standing.scripts.has(name) ? { manager, name } : undefined;
}

/** Empty: it runs no script. */
function findName(manager: Call["manager"], args: readonly string[]): string {
  const [first = "", second = ""] = args.filter((argument) => !argument.startsWith("-"));
  if (/^run(?:-script)?$/.test(first)) return second;
  return manager !== "npm" || OWN_COMMANDS.includes(first) ? first : "";
}

/** In other packages than this one. */
function isElsewhere(argument: string): boolean {
  return /^(?:--?workspaces?(?:=.*)?|-w|-ws|-r|--recursive|--filter(?:=.*)?|-F|--prefix(?:=.*)?|-C|--cwd(?:=.*)?|workspaces?)$/.test(
    argument,
  );
}

/** What a program that runs several commands at once is told to run; none: it is no such program. */
function listParts(
  { program, args }: Invocation,
  scripts: ReadonlyMap<string, string>,
): readonly string[] {
  if (program === "concurrently" || program === "conc")
    return listWords(args, CONCURRENTLY_VALUES).flatMap((part) =>
      part.startsWith("npm:") ? expandName(part.slice(4), scripts) : [part],
    );
  const isParallel =
    program === "run-p" || (program === "npm-run-all" && args.some(isParallelFlag));
  if (!isParallel && program !== "run-s" && program !== "npm-run-all") return [];
  const names = listWords(args, []).flatMap((name) => expandName(name, scripts));
  return isParallel ? names : names.slice(-1);
}

const CONCURRENTLY_VALUES = (
  "-n --names -c --prefix-colors -p --prefix -s --success " +
  "--restart-tries --restart-after -m --max-processes -l --name-separator"
).split(" ");

function isParallelFlag(argument: string): boolean {
  return argument === "-p" || argument === "--parallel";
}

/** What is neither an option nor an option's value. */
function listWords(args: readonly string[], values: readonly string[]): readonly string[] {
  return args.filter(
    (argument, at) => !argument.startsWith("-") && !values.includes(args[at - 1] ?? ""),
  );
}

/** `dev:*` stands for every script whose name begins so. */
function expandName(name: string, scripts: ReadonlyMap<string, string>): readonly string[] {
  const [bare = ""] = name.split(/\s/);
  const begin = bare.replace(/\*+$/, "");
  const names =
    begin === bare ? [bare] : [...scripts.keys()].filter((one) => one.startsWith(begin));
  return names.map((one) => `npm run ${one}`);
}
