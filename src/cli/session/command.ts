import type {
  CommandShape,
  Example,
  Option,
  Options,
  ParsedArguments,
  Positionals,
  Scope,
} from "../grammar/command-shape.ts";
import type { Style } from "../terminal/style.ts";
import type { Hint } from "../text/hints.ts";
import type { Session } from "./session.ts";

/** What came of a command: the value that `--json` prints, and how a person reads it. */
export type Outcome = {
  /** `undefined`: it has printed line by line, or its child has. */
  readonly result: unknown;
  toText(style: Style): string;
  /** For a person at a terminal alone. */
  readonly hints: readonly Hint[];
  readonly exitCode: number;
};

export type Command = CommandShape & {
  execute(parsed: ParsedArguments, session: Session): Promise<Outcome>;
};

type NamesOf<O extends Options, Kind extends Option["kind"]> = {
  [Name in keyof O]: O[Name]["kind"] extends Kind ? Name : never;
}[keyof O] &
  string;

/** A command that declares no options has no name to ask for. */
type NoOptions = Readonly<Record<string, never>>;

/** The arguments of one call of a command, by the names that it declares. */
class Arguments<O extends Options, P extends Positionals> {
  readonly #parsed: ParsedArguments;

  constructor(parsed: ParsedArguments) {
    this.#parsed = parsed;
  }

  has(option: NamesOf<O, "flag">): boolean {
    return this.#parsed.flags.has(option);
  }

  value(option: NamesOf<O, "value">): string | null {
    return this.#parsed.values.get(option) ?? null;
  }

  required(name: Extract<P[number], { kind: "required" }>["name"]): string {
    const word = this.#parsed.positionals.get(name);
    if (word === undefined) throw new Error(`${name} was read as required and is missing.`);
    return word;
  }

  optional(name: Extract<P[number], { kind: "optional" }>["name"]): string | null {
    return this.#parsed.positionals.get(name) ?? null;
  }

  get rest(): readonly string[] {
    return this.#parsed.rest;
  }
}

type CommandSpec<O extends Options, P extends Positionals, Result> = {
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly scope?: Scope;
  readonly isOfMachine?: true;
  readonly positionals?: P;
  readonly options?: O;
  readonly examples?: readonly Example[];
  /** It has a program of its own print: nothing is printed after it. */
  readonly isSilent?: true;
  /** Never prints. */
  run(input: Arguments<O, P>, session: Session): Promise<Result>;
  /** Never fetches. */
  readonly toText: (result: Result, style: Style) => string;
  /** What to do next, where there is something. */
  readonly hints?: (result: Result) => readonly Hint[];
  /** What `--json` prints, where the text says more. */
  readonly toJson?: (result: Result) => unknown;
  readonly exitCode?: (result: Result) => number;
};

/** One command is one such value: its help, its arguments, its text and its JSON derive from it. */
export function defineCommand<
  Result,
  const O extends Options = NoOptions,
  const P extends Positionals = readonly [],
>(spec: CommandSpec<O, P, Result>): Command {
  return {
    name: spec.name,
    summary: spec.summary,
    description: spec.description ?? null,
    scope: spec.scope ?? "none",
    isOfMachine: spec.isOfMachine ?? false,
    positionals: spec.positionals ?? [],
    options: spec.options ?? {},
    examples: spec.examples ?? [],
    async execute(parsed, session) {
      const result = await spec.run(new Arguments<O, P>(parsed), session);
      return {
        result: spec.isSilent === true ? undefined : (spec.toJson ?? identity)(result),
        toText: (style) => spec.toText(result, style),
        hints: spec.hints?.(result) ?? [],
        exitCode: spec.exitCode?.(result) ?? 0,
      };
    },
  };
}

function identity<T>(value: T): T {
  return value;
}
