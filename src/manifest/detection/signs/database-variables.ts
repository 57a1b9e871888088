import type { Finding, VariableManifest } from "../../../environment/manifest.ts";
import { findVariableNameFault } from "../../../environment/variable-name.ts";
import { found, type Outcome } from "./outcome.ts";
import { nameOf, type Sources } from "./sources.ts";

type Variables = Readonly<Record<string, VariableManifest>>;

/** Names under which programs look for the whole address of their database. */
const ADDRESS =
  /^(?:DATABASE|POSTGRES|POSTGRESQL|PG|DB|DIRECT|NEON|SUPABASE)(?:_(?:DATABASE|POSTGRES|PRISMA|DIRECT|DB|PG))*_(?:UR[LI]|CONNECTION(?:_STRING|_UR[LI])?|DSN)(?:_(?:NON_POOLING|UNPOOLED|NO_SSL))?$/;
/** For another database than the one that the app runs on. */
const ANOTHER = /TEST|SHADOW|REDIS|MONGO|MYSQL|REPLICA|READ/;
const PARTS: readonly (readonly [names: RegExp, value: string])[] = [
  [/^(?:PG|(?:DB|POSTGRES|POSTGRESQL|DATABASE|TYPEORM)_)HOST(?:NAME)?$/, "$DATABASE_HOST"],
  [/^(?:PG|(?:DB|POSTGRES|POSTGRESQL|DATABASE|TYPEORM)_)PORT$/, "$DATABASE_PORT"],
  [/^(?:PG|(?:DB|POSTGRES|POSTGRESQL|DATABASE|TYPEORM)_)USER(?:NAME)?$/, "$DATABASE_USER"],
  [/^(?:PG|(?:DB|POSTGRES|POSTGRESQL|DATABASE|TYPEORM)_)PASS(?:WORD)?$/, "$DATABASE_PASSWORD"],
  [
    /^(?:PGDATABASE|(?:DB|POSTGRES|POSTGRESQL|DATABASE|TYPEORM)_(?:NAME|DATABASE)|POSTGRES(?:QL)?_DB)$/,
    "$DATABASE_NAME",
  ],
];

const EXAMPLE = /^\.env\.(?:example|sample|template|dist)$/;
const OWN = /^\.env(?:\.local|\.development(?:\.local)?)?$/;
const CONFIG =
  /\.prisma$|^(?:prisma|drizzle)\.config\.|knexfile|data-?source|ormconfig|\.(?:py|exs)$|database\.yml$/i;
/** `env("X")` and how Node reads one, `os.environ["X"]`, `os.getenv("X")`, `ENV.fetch("X")`, `System.get_env("X")`. */
const NAMED =
  /\b(?:env|getenv|get_env)(?:\.\w+)?\(\s*["'](\w+)["']|\bprocess\.env\.(\w+)|\b(?:process\.env|environ|ENV)(?:\.(?:get|fetch))?[[(]\s*["'](\w+)["']/g;
const MAX_VARIABLES = 40;

/** What the app calls the parts of its database's address, and which other variables it waits for. */
export function planVariables(packages: readonly Sources[]): Outcome<Variables> {
  const seen = packages.flatMap(listSeen);
  const values: Record<string, VariableManifest> = {};
  const findings: Finding[] = [];
  for (const { name, file, example } of seen) {
    const value = valueOf(name, example);
    const isFull = findings.length >= MAX_VARIABLES || name in values;
    if (value === undefined || isFull || findVariableNameFault(name) !== undefined) continue;
    values[name] = { value, secret: false, required: false };
    findings.push({ about: "variable", value: `${name} = ${value}`, file, key: name });
  }
  return found(values, findings, warnOfEmpty(seen, packages, values));
}

type Seen = {
  readonly name: string;
  readonly file: string;
  /** What an example gives it; null where it is only read. */
  readonly example: string | null;
};

function listSeen(sources: Sources): readonly Seen[] {
  return [...sources.texts].flatMap(([file, text]): readonly Seen[] => {
    const where = nameOf(sources, file);
    if (EXAMPLE.test(file)) {
      return listLines(text).map(([name, example]) => ({ name, example, file: where }));
    }
    if (!CONFIG.test(file)) return [];
    const names = [...text.matchAll(NAMED)].map(([, one, two, three]) => one ?? two ?? three ?? "");
    return names.map((name) => ({ name, example: null, file: where }));
  });
}

function listLines(text: string): readonly (readonly [name: string, value: string])[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, name, value = ""] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) return [];
    return [
      [
        name,
        value
          .replace(/\s+#.*$|^#.*$/, "")
          .trim()
          .replaceAll(/^["']|["']$/g, ""),
      ],
    ];
  });
}

function valueOf(name: string, example: string | null): string | undefined {
  if (ANOTHER.test(name) || name === "DATABASE_URL") return undefined;
  if (example !== null && isOfAnother(name, example)) return undefined;
  if (ADDRESS.test(name) || /^postgres(?:ql)?:\/\//.test(example ?? "")) return "$DATABASE_URL";
  return PARTS.find(([names]) => names.test(name))?.[1];
}

/** The address of another kind of database, or, as Laravel's `DB_CONNECTION=pgsql`, the name of a driver. */
function isOfAnother(name: string, example: string): boolean {
  if (/^(?!postgres)[\w+]+:\S/.test(example)) return true;
  return name.endsWith("_CONNECTION") && /^\w+$/.test(example);
}

/** What an example leaves empty, and nothing else gives: the app may need it, or do without. */
function warnOfEmpty(
  seen: readonly Seen[],
  packages: readonly Sources[],
  planned: Variables,
): readonly string[] {
  const own = new Set(
    packages.flatMap(({ texts }) =>
      [...texts].flatMap(([file, text]) =>
        OWN.test(file)
          ? listLines(text).flatMap(([name, value]) => (value === "" ? [] : name))
          : [],
      ),
    ),
  );
  const empty = seen.filter(
    ({ name, example }) =>
      example === "" &&
      !own.has(name) &&
      !(name in planned) &&
      findVariableNameFault(name) === undefined,
  );
  const files = new Map(empty.map(({ name, file }) => [name, file]));
  return [...files]
    .slice(0, MAX_VARIABLES)
    .map(
      ([name, file]) =>
        `${file} leaves ${name} empty: give it a value with \`ramet var set ${name}=VALUE\`.`,
    );
}
