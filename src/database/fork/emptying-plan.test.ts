import { expect, test } from "vitest";

import type { Catalog, CatalogTable } from "../statements/catalog.ts";
import { planEmptying } from "./emptying-plan.ts";

function table(oid: number, more: Partial<CatalogTable> = {}): CatalogTable {
  const [schema, name] = ["public", `t${oid}`];
  const fields = { oid, schema, name, columns: [], quoted: `public.t${oid}` };
  return { ...fields, family: oid, kind: "plain", isPartlyForeign: false, ...more };
}

function catalog(tables: readonly CatalogTable[], more: Partial<Catalog> = {}): Catalog {
  return { tables, references: [], sequences: [], views: [], triggers: [], ...more };
}

const NONE: ReadonlySet<number> = new Set();

test("tables that refer to each other, over others and in a circle, are truncated in one go", () => {
  const tables = Array.from({ length: 150 }, (_, index) => table(index));
  const references = tables.flatMap(({ oid }) =>
    oid % 2 === 0 ? [[oid, (oid + 2) % 150] as const] : [],
  );
  const { groups } = planEmptying(catalog(tables, { references }), NONE);
  const even = groups.find((group) => group.includes("ONLY public.t0"));
  expect(even).toEqual(expect.arrayContaining(["ONLY public.t2", "ONLY public.t148"]));
  expect(groups.flat()).toHaveLength(150);
  for (const group of groups) expect(group.length).toBeLessThanOrEqual(100);
});

test("a thousand tables with nothing between them are truncated a hundred at a time", () => {
  const tables = Array.from({ length: 1000 }, (_, index) => table(index));
  const { groups } = planEmptying(catalog(tables), NONE);
  expect(groups.map((group) => group.length)).toEqual(Array.from({ length: 10 }, () => 100));
});

test("partitions go with their table; where one lies in another server, those that lie here go one by one", () => {
  const whole = [
    table(1, { kind: "partitioned" }),
    table(2, { family: 1 }),
    table(3, { family: 1, kind: "partitioned" }),
  ];
  expect(planEmptying(catalog(whole), NONE).groups).toEqual([["public.t1"]]);
  const foreign = whole.map((one) => ({ ...one, isPartlyForeign: true }));
  expect(planEmptying(catalog(foreign), NONE).groups).toEqual([["ONLY public.t2"]]);
});

test("what is kept is not truncated, and goes on numbering", () => {
  const sequences = [
    { quoted: "of_kept", table: 1 },
    { quoted: "of_other", table: 2 },
    { quoted: "alone", table: null },
  ];
  const plan = planEmptying(catalog([table(1), table(2)], { sequences }), new Set([1]));
  expect(plan).toEqual({ groups: [["ONLY public.t2"]], sequences: ["of_other", "alone"] });
});

test("a database without tables needs nothing", () => {
  expect(planEmptying(catalog([]), NONE)).toEqual({ groups: [], sequences: [] });
});
