import { expect, test } from "vitest";

import { atPort, moveVariables } from "./afar-database.ts";

const URL_THERE = "postgres://abcd:p%40ss@127.0.0.1:7421/shop";
const URL_HERE = "postgres://abcd:p%40ss@127.0.0.1:50000/shop";

test("a database's URL leads to a port of this machine, and all else of it stays", () => {
  expect(atPort(URL_THERE, 50_000)).toBe(URL_HERE);
  expect(atPort("postgres://a:b@[::1]:7421/shop?sslmode=disable", 1)).toBe(
    "postgres://a:b@127.0.0.1:1/shop?sslmode=disable",
  );
});

test("every variable that names the database's port on the server names the one that is here", () => {
  const moved = moveVariables(
    {
      DATABASE_URL: URL_THERE,
      PRISMA_URL: `${URL_THERE}?schema=public`,
      JDBC_URL: "jdbc:postgresql://127.0.0.1:7421/shop",
      PGPORT: "7421",
      PGHOST: "127.0.0.1",
      LIMIT: "17421",
      MODE: "plain",
      EMPTY: "",
    },
    50_000,
  );
  expect(moved).toEqual({
    DATABASE_URL: URL_HERE,
    PRISMA_URL: `${URL_HERE}?schema=public`,
    JDBC_URL: "jdbc:postgresql://127.0.0.1:50000/shop",
    PGPORT: "50000",
    PGHOST: "127.0.0.1",
    LIMIT: "17421",
    MODE: "plain",
    EMPTY: "",
  });
});

test.each([{}, { DATABASE_URL: "sqlite.db" }, { DATABASE_URL: "" }])(
  "of an environment without a database (%j) nothing is moved",
  (variables) => {
    const all = { ...variables, PGPORT: "7421" };
    expect(moveVariables(all, 50_000)).toEqual(all);
  },
);
