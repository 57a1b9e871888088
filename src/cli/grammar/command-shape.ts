export type FlagOption = {
  readonly kind: "flag";
  readonly short: string | null;
  readonly summary: string;
};
export type ValueOption = {
  readonly kind: "value";
  readonly placeholder: string;
  readonly short: string | null;
  readonly summary: string;
};
export type Option = FlagOption | ValueOption;
export type Options = Readonly<Record<string, Option>>;

export type Positional = {
  readonly name: string;
  readonly summary: string;
  /** `rest`: any number of them; only the last can be that. */
  readonly kind: "required" | "optional" | "rest";
};
export type Positionals = readonly Positional[];

export type Example = { readonly line: string; readonly why: string };

/** Which of --app and --env a command takes. */
export type Scope = "none" | "app" | "environment";

/** What a command is, without what it does: enough for help and for reading arguments. */
export type CommandShape = {
  readonly name: string;
  /** One line in the list of commands. */
  readonly summary: string;
  readonly description: string | null;
  readonly scope: Scope;
  /** It is about this machine, also while the person is logged in to a server elsewhere. */
  readonly isOfMachine: boolean;
  readonly positionals: Positionals;
  readonly options: Options;
  readonly examples: readonly Example[];
};

export type ParsedArguments = {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
  readonly positionals: ReadonlyMap<string, string>;
  readonly rest: readonly string[];
};

export function flag(summary: string, short: string | null = null): FlagOption {
  return { kind: "flag", summary, short };
}

export function value(
  placeholder: string,
  summary: string,
  short: string | null = null,
): ValueOption {
  return { kind: "value", placeholder, summary, short };
}
