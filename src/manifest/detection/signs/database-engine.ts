import { type Outcome, found } from "./outcome.ts";
import { findSource, hasPackage, nameOf, type Sources } from "./sources.ts";

/** `other`: plainly one that is not PostgreSQL. `unknown`: nothing says. */
export type Engine = "postgres" | "other" | "unknown";

/** Where a tool's own file names its engine, and how. */
const DECLARED: readonly { readonly file: RegExp; readonly key: string; readonly value: RegExp }[] =
  [
    {
      file: /\.prisma$/,
      key: "provider",
      value: /\bdatasource\s+\w+\s*\{[^}]*?\bprovider\s*=\s*["']([\w-]+)["']/,
    },
    {
      file: /^drizzle\.config\./,
      key: "dialect",
      value: /\b(?:dialect|driver)["']?\s*:\s*["']([\w-]+)["']/,
    },
    { file: /knexfile/i, key: "client", value: /\bclient["']?\s*:\s*["']([\w-]+)["']/ },
    { file: /data-?source|ormconfig/i, key: "type", value: /\btype["']?\s*:\s*["']([\w-]+)["']/ },
  ];
const POSTGRES =
  /^(?:postgres(?:ql)?|pg|pg-native|cockroach(?:db)?|node-postgres|pglite|aurora-postgres)$/;

const DRIVERS: readonly { readonly engine: Engine; readonly names: readonly string[] }[] = [
  {
    engine: "postgres",
    names: (
      "pg postgres pg-promise @vercel/postgres @neondatabase/serverless slonik " +
      "@prisma/adapter-pg pg-pool node-pg-migrate postgrator @databases/pg"
    ).split(" "),
  },
  {
    engine: "other",
    names: [
      "mysql2",
      "mysql",
      "mariadb",
      "mongoose",
      "mongodb",
      "mssql",
      "better-sqlite3",
      "sqlite3",
      "@libsql/client",
    ],
  },
];

/** Which database an app keeps its rows in, as its packages together say. */
export function findEngine(packages: readonly Sources[]): Outcome<Engine> {
  const declared = packages.flatMap(findDeclared);
  const said = declared.find(({ value }) => value === "postgres") ?? declared[0];
  if (said !== undefined) return said;
  for (const { engine, names } of DRIVERS) {
    for (const sources of packages) {
      const name = names.find((one) => hasRuntimePackage(sources, one));
      if (name === undefined) continue;
      const file = nameOf(sources, "package.json");
      return found(engine, [{ about: "database", value: name, file, key: `dependencies.${name}` }]);
    }
  }
  return found("unknown");
}

function findDeclared(sources: Sources): readonly Outcome<Engine>[] {
  return DECLARED.flatMap(({ file, key, value }) => {
    const source = findSource(sources, file);
    const [, name] = value.exec(source?.text ?? "") ?? [];
    if (source === undefined || name === undefined) return [];
    const where = { file: nameOf(sources, source.name), key };
    return [
      found<Engine>(POSTGRES.test(name) ? "postgres" : "other", [
        { about: "database", value: name, ...where },
      ]),
    ];
  });
}

/** A driver that is needed to build or test alone holds no rows of the app's. */
function hasRuntimePackage({ file }: Sources, name: string): boolean {
  return hasPackage({ file: { dependencies: file.dependencies } }, name);
}
