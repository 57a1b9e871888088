/** An app that is a database alone, so that a create of it is little besides the fork. */
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { z } from "zod";

import { queryDatabase } from "../../src/database/database.ts";
import type { Database } from "../../src/database/database.ts";
import { Layout } from "../../src/engine/home/layout.ts";
import { readRecords } from "../../src/engine/home/records.ts";
import { findHome } from "../../src/protocol/home.ts";
import type { Stage } from "../journeys/stage.ts";
import { BANK_SQL } from "./bank.ts";

const serverFile = z.object({ homeId: z.string() });

/** Made and filled; resolves with its folder, whose environment `development` is awake and is to have so many standbys. */
export async function openBankApp(stage: Stage, warm: number): Promise<string> {
  // Else root's server keeps what other users must reach elsewhere.
  await chmod(stage.folder, 0o711);
  const app = path.join(stage.folder, "bank");
  await mkdir(app);
  const manifest = { app: "bank", processes: {}, database: { warm } };
  await writeFile(path.join(app, "ramet.json"), JSON.stringify(manifest));
  await stage.git(app, "init", "-q", "-b", "main");
  await stage.git(app, "add", "-A");
  await stage.git(app, "commit", "-qm", "The app");
  await stage.json(app, ["init"]);
  await queryDatabase(await requireDatabase(stage, "development"), BANK_SQL);
  return app;
}

/** Without the server between, which may just be killed. */
export async function requireDatabase(stage: Stage, name: string): Promise<Database> {
  const layout = await openLayout(stage);
  const record = (await readRecords(layout)).find((one) => one.name === name);
  if (record === undefined || record.database === null)
    throw new Error(`${name} has no database here.`);
  return { place: layout.databasePlace(record), record: record.database };
}

export async function openLayout({ home, folder }: Stage): Promise<Layout> {
  const { homeId } = serverFile.parse(
    JSON.parse(await readFile(path.join(home, "server.json"), "utf8")),
  );
  const uid = process.getuid?.() ?? null;
  const environment = { ...process.env, RAMET_HOME: home };
  const { sockets } = findHome({ environment, uid, userHome: folder });
  return new Layout({ folder: home, shared: home, sockets, id: homeId });
}
