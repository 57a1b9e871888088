import type { Catalog, CatalogTable } from "../statements/catalog.ts";

/** What is to be done to a database that keeps its structure and loses its rows. */
export type EmptyingPlan = {
  /** Each is truncated in one go: no table is emptied without those that refer to it. */
  readonly groups: readonly (readonly string[])[];
  /** To be put back to where they began. */
  readonly sequences: readonly string[];
};

/** A table, its indexes and what of it is stored out of line are locked; PostgreSQL's room for locks is bounded. */
const MOST_AT_ONCE = 100;

/** Decides what is emptied. `kept`: the tables whose rows stay, with the sequences that number them. */
export function planEmptying(catalog: Catalog, kept: ReadonlySet<number>): EmptyingPlan {
  const tables = catalog.tables.filter(({ oid }) => !kept.has(oid));
  const families = joinFamilies(catalog);
  const groups = Map.groupBy(tables.filter(isNamed), ({ family }) => families(family));
  return {
    groups: packGroups([...groups.values()].map((group) => group.map(formatTarget))),
    sequences: catalog.sequences
      .filter(({ table }) => table === null || !kept.has(table))
      .map(({ quoted }) => quoted),
  };
}

/**
 * Partitions are emptied with the table that they are of. Where some lie in another server, only those that lie here
 * are named: a TRUNCATE of the whole would reach the others.
 */
function isNamed({ kind, family, oid, isPartlyForeign }: CatalogTable): boolean {
  if (isPartlyForeign) return kind === "plain";
  return oid === family;
}

function formatTarget({ kind, quoted }: CatalogTable): string {
  return kind === "plain" ? `ONLY ${quoted}` : quoted;
}

/** Tells, of a family, which stands for all that refer to each other, also in a circle and over others. */
function joinFamilies({ references }: Catalog): (family: number) => number {
  const heads = new Map<number, number>();
  const headOf = (family: number): number => {
    let head = family;
    for (let next = heads.get(head); next !== undefined; next = heads.get(head)) head = next;
    return head;
  };
  for (const [from, to] of references) {
    const [one, other] = [headOf(from), headOf(to)];
    if (one !== other) heads.set(one, other);
  }
  return headOf;
}

function packGroups(groups: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const packs: string[][] = [];
  for (const group of groups) {
    const last = packs.at(-1);
    if (last !== undefined && last.length + group.length <= MOST_AT_ONCE) last.push(...group);
    else packs.push([...group]);
  }
  return packs;
}
