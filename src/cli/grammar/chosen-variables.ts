import { choiceMissing, flagsExclusive } from "./problems.ts";

/** The variables that were named, or null with --all, of a command that does `what` to them. @throws `flags_exclusive`, `choice_missing` */
export function chooseVariables(
  names: readonly string[],
  isAll: boolean,
  what: "delete" | "import",
): string[] | null {
  if (isAll && names.length > 0) throw flagsExclusive("--all", "names");
  if (isAll) return null;
  if (names.length > 0) return [...names];
  throw choiceMissing(
    "No variable was named.",
    `Name the variables, or ${what} all of them with --all.`,
  );
}
