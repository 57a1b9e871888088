import type { Client } from "pg";

import type { DatabaseRecord } from "../../environment/environment.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { extensionFailed, extensionMissing, extensionRefused } from "../place/problems.ts";
import { majorOf } from "../place/programs.ts";
import { quoteName } from "../place/sql.ts";
import { adminLogin, isSqlError, withClient } from "./client.ts";

/**
 * Their makers leave it to a superuser to create them, and yet they give no way to files, programs or other databases:
 * types, indexes and functions that compute.
 */
const HARMLESS: ReadonlySet<string> = new Set([
  "address_standardizer",
  "address_standardizer_data_us",
  "autoinc",
  "bloom",
  "earthdistance",
  "h3",
  "h3_postgis",
  "hll",
  "hypopg",
  "insert_username",
  "ip4r",
  "moddatetime",
  "pg_bigm",
  "pg_stat_statements",
  "pg_uuidv7",
  "pgrouting",
  "postgis",
  "postgis_raster",
  "postgis_sfcgal",
  "postgis_tiger_geocoder",
  "postgis_topology",
  "refint",
  "rum",
  "semver",
  "unit",
  "vector",
]);

/**
 * Creates what the app's role may not create itself: in its database, and in what its test and shadow databases are
 * copies of. @throws `extension_missing`, `extension_refused`, `extension_failed`
 */
export async function createExtensions(
  { place, record }: { readonly place: DatabasePlace; readonly record: DatabaseRecord },
  names: readonly string[],
): Promise<void> {
  const { adminPassword: password, postgres } = record;
  const server = { socketFolder: place.socketFolder, password, major: majorOf(postgres.version) };
  for (const database of names.length === 0 ? [] : ["template1", record.name]) {
    await withClient(adminLogin(server, database), async (admin) => {
      for (const name of names) await create(admin, name, postgres.version);
    });
  }
}

type Available = { readonly trusted: boolean; readonly schema: string | null };

async function create(admin: Client, name: string, version: string): Promise<void> {
  const { rows } = await admin.query<Available>(
    `SELECT v.trusted, v.schema FROM pg_available_extension_versions v
       JOIN pg_available_extensions a ON a.name = v.name AND a.default_version = v.version
      WHERE v.name = $1`,
    [name],
  );
  const [available] = rows;
  if (available === undefined) throw extensionMissing(name, version);
  if (!available.trusted && !HARMLESS.has(name)) throw extensionRefused(name);
  // One that insists on a schema makes it; the others go where the app looks first.
  const schema = available.schema === null ? "SCHEMA public" : "";
  try {
    await admin.query(`CREATE EXTENSION IF NOT EXISTS ${quoteName(name)} ${schema} CASCADE`);
  } catch (error) {
    throw isSqlError(error) ? extensionFailed(name, error.message) : error;
  }
}
