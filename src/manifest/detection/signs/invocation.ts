/** What a command comes down to, without the programs that only run another one. */
export type Invocation = {
  /** Set for it alone, by the shell or by such a program. */
  readonly variables: Readonly<Record<string, string>>;
  /** Without its folder. */
  readonly program: string;
  readonly args: readonly string[];
};

/** Programs that run what follows them: the words and the options with a value that stand before that. */
const WRAPPERS: ReadonlyMap<string, { readonly first?: string; readonly values: string }> = new Map(
  [
    ["cross-env", { values: "" }],
    ["cross-env-shell", { values: "" }],
    ["env", { values: "-u" }],
    ["dotenv", { values: "-e -c -v -p" }],
    ["dotenvx", { first: "run", values: "-f -e --env-file --env" }],
    ["env-cmd", { values: "-f --file -e --environments -r" }],
    ["doppler", { first: "run", values: "-p -c --project --config" }],
    ["infisical", { first: "run", values: "--env --path" }],
    ["op", { first: "run", values: "" }],
    ["npx", { values: "-p --package" }],
    ["bunx", { values: "-p --package" }],
    ["exec", { values: "" }],
    ["time", { values: "" }],
    ["nice", { values: "-n" }],
  ],
);
const EXECUTES = /^(?:npm (?:exec|x)|pnpm (?:exec|dlx)|yarn (?:exec|dlx)|bun x)$/;
const ASSIGNMENT = /^([A-Za-z_]\w*)=([^]*)$/;
const MAX_WRAPPERS = 8;

export function parseInvocation(words: readonly string[]): Invocation {
  const variables: Record<string, string> = {};
  let rest = takeAssignments(words, variables);
  for (let count = 0; count < MAX_WRAPPERS; count += 1) {
    const inner = unwrap(rest);
    if (inner === undefined || inner.length === 0) break;
    rest = takeAssignments(inner, variables);
  }
  const [file = "", ...args] = rest;
  return { variables, ...nameProgram(file, args) };
}

function takeAssignments(
  words: readonly string[],
  variables: Record<string, string>,
): readonly string[] {
  for (const [index, word] of words.entries()) {
    const [, name, value = ""] = ASSIGNMENT.exec(word) ?? [];
    if (name === undefined) return words.slice(index);
    variables[name] = value;
  }
  return [];
}

/** undefined: it runs nothing else. */
function unwrap([file = "", ...rest]: readonly string[]): readonly string[] | undefined {
  const name = baseOf(file);
  if (EXECUTES.test(`${name} ${rest[0]}`)) return skipOptions(rest.slice(1), "");
  const wrapper = WRAPPERS.get(name);
  if (wrapper === undefined) return undefined;
  if (wrapper.first === undefined) return skipOptions(rest, wrapper.values);
  return rest[0] === wrapper.first ? skipOptions(rest.slice(1), wrapper.values) : undefined;
}

function skipOptions(words: readonly string[], values: string): readonly string[] {
  const withValue = values.split(" ");
  let at = 0;
  while (words[at]?.startsWith("-") === true && words[at] !== "--")
    at += withValue.includes(words[at] ?? "") ? 2 : 1;
  return words.slice(words[at] === "--" ? at + 1 : at);
}

/** A tool's own script below `node_modules` is that tool, whether Node is named or not. */
function nameProgram(
  file: string,
  args: readonly string[],
): { readonly program: string; readonly args: readonly string[] } {
  const program = baseOf(file);
  if (program !== "node" && program !== "bun") return { program, args };
  const at = args.findIndex((argument) => !argument.startsWith("-") && argument !== "run");
  const [, tool] = /node_modules\/(?:\.bin\/)?((?:@[^/]+\/)?[^/]+)/.exec(args[at] ?? "") ?? [];
  if (tool !== undefined) return { program: baseOf(tool), args: args.slice(at + 1) };
  return { program, args };
}

function baseOf(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1).replace(/\.cmd$/, "");
}
