import { readFileSync } from "node:fs";

/** Prisma's client, whose engine is WebAssembly, over its adapter for node-postgres. */
import { PrismaPg } from "@prisma/adapter-pg";

import { PrismaClient } from "./generated/client.ts";

const [url, wrong] = process.argv.slice(2);
const { version } = JSON.parse(readFileSync("node_modules/@prisma/client/package.json", "utf8"));
const seen = { driver: `Prisma ${version}` };

const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) });
await prisma.$executeRaw`CREATE TABLE IF NOT EXISTS "Word" (id serial PRIMARY KEY, text text NOT NULL)`;
await prisma.word.deleteMany();
const [{ sum }] = await prisma.$queryRaw`SELECT ${1}::int + ${2}::int AS sum`;
seen.parameters = sum;
await prisma.word.createMany({ data: ["one", "two", "three"].map((text) => ({ text })) });
seen.rows = await prisma.word.count({ where: { text: { contains: "t" } } });
await prisma
  .$transaction(async (inner) => {
    await inner.word.deleteMany();
    throw new Error("taken back");
  })
  .catch(() => undefined); // It was meant to be taken back.
seen.transaction = await prisma.word.count();
await prisma.$disconnect();
const stranger = new PrismaClient({ adapter: new PrismaPg({ connectionString: wrong }) });
await stranger.word
  .count()
  .catch((error) => (seen.wrong = error.message.trim().split("\n").at(-1)));
await stranger.$disconnect();
console.log(JSON.stringify(seen));
