import { MARK_VARIABLE } from "../../src/environment/places.ts";
import { findFamily, findMarked } from "../../src/process/process.ts";
import { createdEnvironmentSchema } from "../../src/protocol/schemas.ts";
import { readMemory, sumMemory } from "../kit/memory.ts";
import type { Memory } from "../kit/memory.ts";
import { openHere } from "../kit/places.ts";
import type { Report } from "../kit/report.ts";
import type { Bench } from "../kit/scene.ts";
import { Stage } from "../kit/stage.ts";
import { withUndo } from "../kit/with-undo.ts";

const AT_ONCE = 4;
const HEADER = ["what", "RSS, MB", "PSS, MB"];

/** The server with environments asleep, as it has become and started anew; and what one that is awake costs. */
export async function measureMemory(bench: Bench): Promise<Report> {
  return withUndo(async (undo) => {
    const stage = await Stage.open(await openHere(undo), "notes", bench);
    undo.push(() => stage.close());
    const { id, name } = createdEnvironmentSchema.parse(await stage.ramet("init"));
    const rows = [...(await readAwake(stage, id))];
    await stage.ramet("env", "stop", name);
    let fewest: { count: number; kilobytes: number } | undefined;
    let remarks: readonly string[] = [];
    let known = 1;
    for (const count of bench.isQuick ? [1, 10] : [1, 10, 100]) {
      for (; known < count; known += AT_ONCE) await makeAsleep(stage, known, count);
      known = count;
      const { grown, fresh } = await readServer(stage);
      rows.push(toRow(`server, ${count} asleep, as it has become`, grown));
      rows.push(toRow(`server, ${count} asleep, started anew`, fresh));
      if (fewest === undefined) fewest = { count, kilobytes: fresh.rss };
      else remarks = [describeEach(fewest, { count, kilobytes: fresh.rss })];
    }
    return { rows: [HEADER, ...rows], goals: [], remarks };
  });
}

async function readAwake(stage: Stage, id: string): Promise<readonly (readonly string[])[]> {
  const marked = await findMarked(MARK_VARIABLE, `${await stage.readHomeId()}.${id}`);
  const roles = [
    ["keeper", ".runtime.keeper"],
    ["PostgreSQL, all of its processes", ".database"],
  ] as const;
  const rows: (readonly string[])[] = [];
  for (const [label, role] of roles) {
    const found = marked.find(({ mark }) => mark.endsWith(role));
    if (found === undefined) throw new Error(`No process is marked ${role}.`);
    const family = role === ".database" ? await findFamily(found.pid) : [found.pid];
    rows.push(toRow(`${label}, of one environment awake`, await sumMemory(family)));
  }
  return rows;
}

/** The next few, side by side. */
async function makeAsleep(stage: Stage, from: number, to: number): Promise<void> {
  const count = Math.min(AT_ONCE, to - from);
  const names = Array.from({ length: count }, (_, index) => `asleep-${from + index}`);
  await Promise.all(
    names.map(async (name) => {
      await stage.create(name);
      await stage.ramet("env", "stop", name);
    }),
  );
}

async function readServer(stage: Stage): Promise<{ grown: Memory; fresh: Memory }> {
  const grown = await readMemory(await stage.readServerPid());
  await stage.ramet("server", "restart");
  await stage.ramet("env", "list");
  return { grown, fresh: await readMemory(await stage.readServerPid()) };
}

function toRow(what: string, { rss, pss }: Memory): readonly string[] {
  return [what, ...[rss, pss].map((kilobytes) => (kilobytes / 1000).toFixed(1))];
}

type Count = { readonly count: number; readonly kilobytes: number };

function describeEach(fewest: Count, most: Count): string {
  const each = (most.kilobytes - fewest.kilobytes) / (most.count - fewest.count);
  return `Each environment asleep adds ${Math.round(each)} kB to a server that was started anew (${fewest.count} to ${most.count}).`;
}
