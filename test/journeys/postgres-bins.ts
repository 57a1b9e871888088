/** The PostgreSQLs that this machine has besides ours, and which extensions they have. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";

const DEBIANS = "/usr/lib/postgresql";
/** Folders of more, with `:` between them. */
const MORE = process.env["RAMET_TEST_POSTGRES_BINS"] ?? "";

/** Folders of the programs. */
export function listPostgresBins(): readonly string[] {
  const installed = existsSync(DEBIANS) ? readdirSync(DEBIANS) : [];
  const debians = installed.map((version) => path.join(DEBIANS, version, "bin"));
  return [...MORE.split(":"), ...debians].filter(
    (bin) => bin !== "" && existsSync(path.join(bin, "postgres")),
  );
}

/** The first that has all of them; Debian keeps what is shared elsewhere than PostgreSQL's own installation does. */
export function findPostgresBin(...extensions: readonly string[]): string | undefined {
  return listPostgresBins().find((bin) =>
    extensions.every((name) =>
      listShares(bin).some((share) => existsSync(path.join(share, "extension", `${name}.control`))),
    ),
  );
}

function listShares(bin: string): readonly string[] {
  const version = path.basename(path.dirname(bin));
  const debians = path.join(bin, "..", "..", "..", "..", "share", "postgresql", version);
  const own = path.join(bin, "..", "share");
  return [debians, own, path.join(own, "postgresql")];
}
