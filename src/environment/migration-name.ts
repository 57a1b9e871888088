/** Extensions of the files that migrations are written in, one upon the other as in `.up.sql`. */
const EXTENSIONS = /(?:\.(?:up|sql|js|ts|mjs|cjs|mts|cts|rb|py|php|exs?))+$/;
/** As TypeORM ends the name of a migration's class. */
const MILLISECONDS = /\D(\d{13})$/;

/**
 * What a migration may be known by: its name without an extension, and its number, which some tools note alone.
 * A file and what a tool calls it have one of these in common.
 */
export function keysOfMigration(name: string): readonly string[] {
  const stem = name.replace(EXTENSIONS, "");
  const number = /^[Vv]?0*(\d+)/.exec(stem)?.[1] ?? MILLISECONDS.exec(stem)?.[1];
  return number === undefined || number === stem ? [stem] : [stem, number];
}
