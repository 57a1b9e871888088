import { type Miniature, NO_STEPS, pack } from "./miniature.ts";

const DEV = { dev: "node server.js" };
const SCHEMA = `generator client {\n  provider = "prisma-client"\n  output   = "../src/generated/prisma"\n}\ndatasource db {\n  provider  = "postgresql"\n  url       = env("POSTGRES_PRISMA_URL")\n  directUrl = env("DIRECT_URL")\n}\n`;
const PRISMA = ["prisma", "@prisma/client"];

/** What each tool's migrations and first rows come from, and what the app calls its database. */
export const DATABASES: readonly Miniature[] = [
  {
    name: "Prisma with migrations, a seed and names of its own",
    files: {
      "package.json": pack(DEV, PRISMA, { prisma: { seed: "tsx prisma/seed.ts" } }),
      "package-lock.json": "{}",
      "prisma/schema.prisma": SCHEMA,
      "prisma/migrations/1_init/migration.sql": "",
    },
    expected: {
      setup: "npm ci && npx prisma generate",
      database: { migrate: "npx prisma migrate deploy", seed: "npx prisma db seed", mask: null },
      variables: { POSTGRES_PRISMA_URL: "$DATABASE_URL", DIRECT_URL: "$DATABASE_URL" },
      clone: ["node_modules", "src/generated/prisma"],
    },
  },
  {
    name: "Prisma without migrations, generated after every install",
    files: {
      "package.json": pack({ ...DEV, postinstall: "prisma generate" }, PRISMA),
      "pnpm-lock.yaml": "",
      "prisma/schema.prisma": SCHEMA.replaceAll(/POSTGRES_PRISMA_URL|DIRECT_URL/g, "DATABASE_URL"),
    },
    expected: {
      setup: "pnpm install --frozen-lockfile",
      database: { migrate: "pnpm exec prisma db push", seed: null, mask: null },
      variables: {},
    },
  },
  {
    name: "Prisma whose own script asks a person",
    files: {
      "package.json": pack(
        { ...DEV, "db:migrate": "prisma migrate dev", "db:seed": "tsx seed.ts" },
        PRISMA,
      ),
      "prisma/schema.prisma": SCHEMA,
      "prisma/migrations/migration_lock.toml": "",
    },
    expected: {
      database: { migrate: "npx prisma migrate deploy", seed: "npm run db:seed", mask: null },
    },
  },
  {
    name: "Prisma on SQLite",
    files: {
      "package.json": pack(DEV, PRISMA),
      "prisma/schema.prisma":
        'datasource db {\n  provider = "sqlite"\n  url = "file:./dev.db"\n}\n',
    },
    expected: { database: null, variables: {}, warnings: ["prisma/schema.prisma names sqlite"] },
  },
  {
    name: "Drizzle",
    files: {
      "package.json": pack(DEV, ["drizzle-orm", "drizzle-kit", "pg"]),
      "drizzle.config.ts": `export default { out: "./drizzle", dialect: "postgresql", dbCredentials: { url: process.env.POSTGRES_URL! } };`,
      "drizzle/meta/_journal.json": "{}",
    },
    expected: {
      database: { migrate: "npx drizzle-kit migrate", seed: null, mask: null },
      variables: { POSTGRES_URL: "$DATABASE_URL" },
    },
  },
  {
    name: "Drizzle before its first migration",
    files: {
      "package.json": pack(DEV, ["drizzle-orm", "drizzle-kit", "postgres"]),
      "drizzle.config.ts": `export default { schema: "./s.ts", dialect: "postgresql" };`,
    },
    expected: { database: { migrate: "npx drizzle-kit push", seed: null, mask: null } },
  },
  {
    name: "Drizzle on Turso",
    files: {
      "package.json": pack(DEV, ["drizzle-kit"]),
      "drizzle.config.ts": `export default { dialect: "turso" };`,
    },
    expected: { database: null, warnings: ["drizzle.config.ts names turso"] },
  },
  {
    name: "Knex with seeds, with Yarn",
    files: {
      "package.json": pack(DEV, ["knex", "pg"]),
      "yarn.lock": "",
      "knexfile.js": `module.exports = { client: "pg", connection: { host: process.env.DB_HOST, user: process.env.DB_USER } };`,
      "seeds/a.js": "",
    },
    expected: {
      database: {
        migrate: "yarn run knex migrate:latest",
        seed: "yarn run knex seed:run",
        mask: null,
      },
      variables: { DB_HOST: "$DATABASE_HOST", DB_USER: "$DATABASE_USER" },
    },
  },
  {
    name: "Knex on SQLite while it is developed",
    files: {
      "package.json": pack(DEV, ["knex", "sqlite3", "pg"]),
      "knexfile.js": `module.exports = { development: { client: "sqlite3" }, production: { client: "postgresql" } };`,
    },
    expected: { database: null, warnings: ["knexfile.js names sqlite3"] },
  },
  {
    name: "TypeORM",
    files: {
      "package.json": pack(DEV, ["typeorm", "pg"]),
      "src/data-source.ts": `new DataSource({ type: "postgres", port: 5432, migrations: ["src/migrations/*.ts"] });`,
    },
    expected: {
      database: {
        migrate: "npx typeorm-ts-node-commonjs migration:run -d src/data-source.ts",
        seed: null,
        mask: null,
      },
    },
  },
  {
    name: "TypeORM that makes its tables itself",
    files: {
      "package.json": pack(DEV, ["typeorm", "pg"]),
      "src/data-source.ts": `new DataSource({ type: "postgres", synchronize: true, migrations: [] });`,
    },
    expected: { database: NO_STEPS },
  },
  {
    name: "node-pg-migrate, whose script says no direction",
    files: {
      "package.json": pack({ ...DEV, migrate: "node-pg-migrate" }, ["node-pg-migrate", "pg"]),
    },
    expected: { database: { migrate: "npm run migrate -- up", seed: null, mask: null } },
  },
  {
    name: "node-pg-migrate without a script",
    files: { "package.json": pack(DEV, ["node-pg-migrate", "pg"]), "migrations/1.js": "" },
    expected: { database: { migrate: "npx node-pg-migrate up", seed: null, mask: null } },
  },
  {
    name: "a script that drops everything is no migration",
    files: {
      "package.json": pack(
        { ...DEV, migrate: "dropdb x && node m.js", "db:migrate": "prisma migrate reset --force" },
        ["pg"],
      ),
    },
    expected: { database: NO_STEPS },
  },
  {
    name: "MongoDB alone",
    files: { "package.json": pack(DEV, ["express", "mongoose"]) },
    expected: { database: null, warnings: ["package.json names mongoose"] },
  },
  {
    name: "an example of the environment",
    files: {
      "package.json": pack(DEV, ["pg"]),
      ".env.example": [
        "# settings",
        "DATABASE_URL=postgres://localhost/x",
        "DATABASE_URI='postgres://localhost/x'",
        "TEST_DATABASE_URL=postgres://localhost/test",
        "REDIS_URL=redis://localhost",
        "PGHOST=localhost",
        "PGPORT=5432",
        "PGUSER=",
        "PGPASSWORD=",
        "PGDATABASE=x",
        "STRIPE_KEY=",
        "PORT=",
        'NEXTAUTH_SECRET=""',
        "LOG_LEVEL=debug",
        "GIVEN=",
      ].join("\r\n"),
      ".env": "GIVEN=here\n",
    },
    expected: {
      variables: {
        DATABASE_URI: "$DATABASE_URL",
        PGHOST: "$DATABASE_HOST",
        PGPORT: "$DATABASE_PORT",
        PGUSER: "$DATABASE_USER",
        PGPASSWORD: "$DATABASE_PASSWORD",
        PGDATABASE: "$DATABASE_NAME",
      },
      clone: ["node_modules", ".env"],
      warnings: [
        ".env.example leaves STRIPE_KEY empty",
        ".env.example leaves NEXTAUTH_SECRET empty",
      ],
    },
  },
  {
    name: "a script that runs migrations of which there are none yet",
    files: {
      "package.json": pack({ dev: "vite dev", "db:migrate": "drizzle-kit migrate" }, [
        "vite",
        "postgres",
        "drizzle-kit",
      ]),
      "drizzle.config.ts": 'export default { dialect: "postgresql", schema: "./schema.ts" };',
    },
    expected: { database: { ...NO_STEPS, migrate: "npx drizzle-kit push" } },
  },
  {
    name: "a T3 app before its first migration",
    files: {
      "package.json": pack({ dev: "next dev", "db:migrate": "prisma migrate deploy" }, [
        "next",
        "prisma",
      ]),
      "prisma/schema.prisma": 'datasource db {\n  provider = "postgresql"\n}\n',
    },
    expected: { database: { ...NO_STEPS, migrate: "npx prisma db push" } },
  },
  {
    name: "AdonisJS with Lucid",
    files: {
      "package.json": pack({ dev: "node ace serve" }, ["@adonisjs/core", "@adonisjs/lucid", "pg"]),
      "database/migrations/1_users.ts": "",
    },
    expected: { database: { ...NO_STEPS, migrate: "node ace migration:run" } },
  },
  {
    name: "Sequelize",
    files: {
      "package.json": pack({ dev: "node bin/www" }, ["express", "sequelize-cli", "pg"]),
      "bin/www": "server.listen(process.env.PORT)",
      "migrations/1.js": "",
    },
    expected: { database: { ...NO_STEPS, migrate: "npx sequelize db:migrate" } },
  },
  {
    name: "Medusa",
    files: { "package.json": pack({ dev: "medusa develop" }, ["@medusajs/medusa", "pg"]) },
    expected: { database: { ...NO_STEPS, migrate: "npx medusa db:migrate" } },
  },
];
