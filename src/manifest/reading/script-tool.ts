import { PORT_TOOLS, type PortTool } from "./port-tools.ts";
import { lastCommand } from "./shell-words.ts";

type Scripts = Readonly<Record<string, string>>;
type Command = {
  /** What stands before the program: assignments, and programs that run it. */
  readonly before: readonly string[];
  readonly program: string;
  readonly args: readonly string[];
};

/** Run what follows them; their own options and assignments stand before it. */
const WRAPPERS = new Set(
  "bun bunx cross-env cross-env-shell dlx doppler dotenv dotenvx env env-cmd exec infisical node npm npx pnpm pnpx run time x yarn".split(
    " ",
  ),
);
/** Options of these whose value is the next word. */
const WITH_VALUE = new Set(
  "-c -e -f -p -r -v --file --import --loader --package --require".split(" "),
);
const ASSIGNMENT = /^[A-Za-z_]\w*=/;
const MANAGERS = new Set(["bun", "npm", "pnpm", "yarn"]);
/** With one of these a package manager runs the script of another package. */
const ELSEWHERE = /^(?:-C|-F|-w|--cwd|--dir|--filter|--prefix|--workspaces?)(?:=|$)/;
const PORT_FLAG = /^(?:-p|--port|--listen)(?:=|$)/;
const HOST_FLAG = /^(?:-a|-H|--address|--host|--hostname|--ip)(?:=|$)/;
const PORT = /^\d{2,5}$/;

/**
 * The flags to append to a script so that it takes its port; null: it needs none, or would pass them to something else.
 * `scripts` are those that it may call.
 */
export function findPortFlags(script: string, scripts: Scripts = {}): string | null {
  const called = findCalled(script, scripts);
  if (called === undefined) return findFlags(parseCommand(script));
  const flags = findPortFlags(called.script, called.others);
  return flags !== null && called.needsDashes ? `-- ${flags}` : flags;
}

/** The port that a script names for itself and that no appended flag changes, as in `PORT=4000 node server.js`. */
export function findScriptPort(script: string, scripts: Scripts = {}): number | null {
  const called = findCalled(script, scripts);
  if (called !== undefined) return findScriptPort(called.script, called.others);
  const command = parseCommand(script);
  if (findFlags(command) !== null) return null;
  const [assigned] = command.before.flatMap((word) => /^PORT=(.*)$/.exec(word)?.[1] ?? []);
  const at = findPortFlag(command.args);
  const flag = command.args[at] ?? "";
  const flagged = flag.includes("=") ? flag.slice(flag.indexOf("=") + 1) : command.args[at + 1];
  const port = (at === -1 ? assigned : flagged) ?? "";
  return PORT.test(port) ? Number(port) : null;
}

function findFlags({ program, args }: Command): string | null {
  const tool = PORT_TOOLS.find(({ names }) => names.includes(program));
  if (tool === undefined || !isServing(tool, args)) return null;
  const { port, host, takesLast } = tool;
  const named = takesLast ? [] : args;
  if (findPortFlag(named) !== -1) return null;
  return host === "" || named.some((word) => HOST_FLAG.test(word)) ? port : `${port} ${host}`;
}

/** `-l` is a level of logging elsewhere. */
function findPortFlag(args: readonly string[]): number {
  return args.findIndex(
    (word, at) => PORT_FLAG.test(word) || (word === "-l" && PORT.test(args[at + 1] ?? "")),
  );
}

function isServing({ serves }: PortTool, args: readonly string[]): boolean {
  if ("unless" in serves) return !args.some((word) => serves.unless.includes(word));
  if ((args[0] ?? "-").startsWith("-") && serves.includes("")) return true;
  return serves.includes(args.find((word) => !word.startsWith("-")) ?? "");
}

type Called = { readonly script: string; readonly others: Scripts; readonly needsDashes: boolean };

/** The script that a script's last command runs; npm alone keeps its flags for itself unless they follow `--`. */
function findCalled(script: string, scripts: Scripts): Called | undefined {
  const words = lastCommand(script).filter((word) => !ASSIGNMENT.test(word));
  const [manager = "", ...rest] = words[0] === "cross-env" ? words.slice(1) : words;
  if (!MANAGERS.has(manager) || rest.some((word) => ELSEWHERE.test(word))) return undefined;
  const name = findScriptName(manager, rest);
  if (name === undefined || !Object.hasOwn(scripts, name)) return undefined;
  const { [name]: found = "", ...others } = scripts;
  return { script: found, others, needsDashes: manager === "npm" && !rest.includes("--") };
}

/** npm runs a script without `run` only where it is called start. */
function findScriptName(manager: string, words: readonly string[]): string | undefined {
  const isRun = /^run(?:-script)?$/.test(words[0] ?? "");
  const name = words.slice(isRun ? 1 : 0).find((word) => !word.startsWith("-"));
  return isRun || manager !== "npm" || name === "start" ? name : undefined;
}

function parseCommand(script: string): Command {
  const words = lastCommand(script);
  const start = findProgram(words);
  const [program = "", ...args] = words.slice(start);
  const before = words.slice(0, start);
  return { before, program: nameProgram(program, before.includes("node")), args };
}

/** Where the program stands, behind assignments, and behind what runs it with its options. */
function findProgram(words: readonly string[]): number {
  const first = words.findIndex((word) => !ASSIGNMENT.test(word));
  if (!WRAPPERS.has(words[first] ?? "")) return Math.max(first, 0);
  if (words.includes("--")) return words.lastIndexOf("--") + 1;
  const start = words.findIndex(
    (word, at) => !isOfWrapper(word) && !WITH_VALUE.has(words[at - 1] ?? ""),
  );
  return start === -1 ? words.length : start;
}

function isOfWrapper(word: string): boolean {
  return word.startsWith("-") || WRAPPERS.has(word) || ASSIGNMENT.test(word);
}

/** A file is a tool where it lies among the packages; any other is the app's own, however it is named. */
function nameProgram(word: string, isFile: boolean): string {
  if (!isFile && !word.includes("/")) return word;
  if (!word.includes("node_modules/")) return "";
  return word.slice(word.lastIndexOf("/") + 1).replace(/\.[cm]?js$/, "");
}
