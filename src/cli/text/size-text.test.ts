import { expect, test } from "vitest";

import type { DatabaseSize } from "../../protocol/schemas.ts";
import type { Style } from "../terminal/style.ts";
import { formatDatabaseSize } from "./size-text.ts";

const PLAIN: Style = { columns: 80, now: 0, hasColors: false, paint: (_format, text) => text };
const SIZE: DatabaseSize = {
  database: "shop",
  bytes: 1_234_000_000,
  ownBytes: 3_400_000,
  tables: [
    { name: "public.orders", rows: 12_345_678, isEstimate: true, bytes: 1_200_000_000 },
    { name: "audit.events", rows: null, isEstimate: true, bytes: 9_000_000 },
    { name: 'public."Odd"', rows: 7, isEstimate: false, bytes: 8192 },
  ],
};

test("tables are listed with what is known of their rows, the total below them", () => {
  expect(formatDatabaseSize(SIZE, PLAIN)).toBe(
    [
      "TABLE         ROWS         SIZE",
      "orders        ~12,345,678  1.2 GB",
      "audit.events  ?            9 MB",
      '"Odd"         7            9 kB',
      "  database  shop, 1.2 GB",
      "  on disk   4 MB of its own",
    ].join("\n"),
  );
});

test("a database without tables has its totals alone, and says where nobody can tell", () => {
  const text = formatDatabaseSize({ ...SIZE, tables: [], ownBytes: null }, PLAIN);
  expect(text).toBe("  database  shop, 1.2 GB\n  on disk   not known here");
});

test("in a narrow terminal every figure is there still", () => {
  const text = formatDatabaseSize(SIZE, { ...PLAIN, columns: 20 });
  for (const figure of ["~12,345,678", "1.2 GB", "9 kB", "4 MB"]) expect(text).toContain(figure);
});
