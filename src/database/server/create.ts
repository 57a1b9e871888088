import type { DatabaseRecord } from "../../environment/environment.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { copyFolder } from "../copy/copy-folder.ts";
import { isLeftOut } from "../place/data-folder.ts";
import { recordOf } from "../place/programs.ts";
import type { Postgres } from "../place/programs.ts";
import { createPasswords } from "../place/roles.ts";
import type { Passwords } from "../place/roles.ts";
import { quoteName } from "../place/sql.ts";
import { inNewFolder, startFirst } from "./new-server.ts";
import { TEMPLATE_DATABASE, readTemplatePassword } from "./template.ts";

/** Its name, and the passwords that it is to have where they are given. */
export type WantedDatabase = { readonly name: string } & Partial<Passwords>;

/** Databases that every server has. */
const TAKEN = new Set(["postgres", "template0", "template1"]);

/**
 * Makes a database from the template and leaves its server running. The copy is not flushed: to wait for all that a
 * busy machine has yet to write takes seconds, and a power cut within them costs an empty database.
 * @throws `database_failed`
 */
export async function createFromTemplate(
  { programs, template }: Postgres,
  place: DatabasePlace,
  asked: string | WantedDatabase,
): Promise<DatabaseRecord> {
  const wanted = typeof asked === "string" ? { name: asked } : asked;
  const name = TAKEN.has(wanted.name) ? `${wanted.name}-app` : wanted.name;
  const rename = `ALTER DATABASE ${quoteName(TEMPLATE_DATABASE)} RENAME TO ${quoteName(name)}`;
  return inNewFolder(place, async () => {
    await copyFolder(template, place.folder, { skip: isLeftOut, uid: place.uid });
    const { appPassword, adminPassword } = { ...createPasswords(), ...wanted };
    const passwords = { appPassword, adminPassword };
    await startFirst(place, {
      programs,
      passwords,
      adminPassword: await readTemplatePassword(template),
      prepare: async (admin) => {
        await admin.query(rename);
      },
    });
    return { name, ...passwords, postgres: recordOf(programs) };
  });
}
