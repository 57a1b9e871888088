import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { waitFor } from "../../base/clock.ts";
import { exists } from "../../base/remove-inside.ts";
import { MARK_VARIABLE } from "../../environment/places.ts";
import { findMarked, signalProcess } from "../../process/process.ts";
import { createDatabase, createStandby } from "../database.ts";
import type { Database, Postgres } from "../database.ts";
import { asAdmin, failureOf, openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";

const PATIENCE_MS = 20_000;
/** Shorter than a server may take to start, and than what never comes. */
const AT_ONCE_MS = 30_000;
const GIVEN_UP = new Error("It is not wanted any more.");

let home: TestHome;
let source: Database;

beforeAll(async () => {
  home = await openTestHome();
  const place = await home.createPlace();
  source = { place, record: await createDatabase(home.postgres, place, "shop") };
});
afterAll(async () => home.close());

async function until(isSo: () => Promise<boolean>, timeoutMs = PATIENCE_MS): Promise<boolean> {
  const so = await waitFor(async () => (await isSo()) || undefined, { timeoutMs });
  return so === true;
}

/** Builds one, gives it up at the moment, and resolves with its failure if that comes at once. */
async function giveUp(
  programs: Postgres["programs"],
  isTheMoment: (mark: string) => Promise<boolean>,
): Promise<unknown> {
  const place = await home.createPlace();
  const given = new AbortController();
  let failure: unknown;
  const building = failureOf(
    createStandby({ programs }, source, { place, signal: given.signal }),
  ).then((error) => void (failure = error));
  expect(await until(async () => isTheMoment(place.mark))).toBe(true);
  given.abort(GIVEN_UP);
  await until(async () => failure !== undefined, AT_ONCE_MS);
  const atOnce = failure;
  void building;
  return atOnce;
}

async function isCopying(): Promise<boolean> {
  return asAdmin(source, async (admin) => {
    const { rowCount } = await admin.query(
      "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_backup_start%' AND pid <> pg_backend_pid()",
    );
    return rowCount === 1;
  });
}

test("a standby that is given up waits no longer for its source's disk", async () => {
  const checkpointer = await asAdmin(source, async (admin) => {
    const { rows } = await admin.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'",
    );
    return rows[0]?.pid ?? 0;
  });
  signalProcess(checkpointer, "SIGSTOP");
  try {
    expect(await giveUp(home.postgres.programs, isCopying)).toBe(GIVEN_UP);
  } finally {
    signalProcess(checkpointer, "SIGCONT");
  }
});

test("a standby that is given up while its server starts is stopped, and nothing of it is left", async () => {
  const bin = path.join(home.folder, "never-ready");
  await mkdir(bin);
  await writeFile(path.join(bin, "postgres"), "#!/bin/sh\nexec sleep 300\n");
  for (const one of [bin, path.join(bin, "postgres")]) await chmod(one, 0o755);
  let started = "";
  const isStarting = async (mark: string): Promise<boolean> => {
    started = mark;
    return (await findMarked(MARK_VARIABLE, mark)).length === 1;
  };
  expect(await giveUp({ ...home.postgres.programs, bin }, isStarting)).toBe(GIVEN_UP);
  expect(await findMarked(MARK_VARIABLE, started)).toEqual([]);
  expect(await exists(path.join(home.folder, "e3", "database"))).toBe(false);
});
