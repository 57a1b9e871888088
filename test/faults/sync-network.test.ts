/**
 * A server and a client with `ramet dev`, in TLS, as two machines. People write on both sides while either is killed, the
 * client sleeps, and the network between them fails in every manner; after each round both sides must come to be the same.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { UndoStack } from "../../src/base/undo-stack.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import { type Going, type Machines, openMachines } from "../journeys/machines.ts";
import { eventually } from "../journeys/stage.ts";
import { listAside } from "../sync/folders.ts";
import { RealPeople } from "../sync/real-people.ts";
import { type Cut, CUTS } from "../sync/relay.ts";
import { randomOf, readPiece } from "./pieces.ts";

const { rounds, title } = readPiece("ROUNDS", 300);
const MANIFEST = {
  app: "paper",
  processes: { web: { command: "node server.mjs", ready: { http: "/" } } },
  database: { migrate: "true" },
};
const FILES = {
  "ramet.json": JSON.stringify(MANIFEST),
  "package.json": JSON.stringify({ name: "paper", type: "module" }),
  ".gitignore": "node_modules\n",
  "server.mjs": [
    'import { createServer } from "node:http";',
    'createServer((_request, response) => response.end("paper"))',
    "  .listen(process.env.PORT, process.env.HOST);",
  ].join("\n"),
};
const MOST_WORK_MS = 400;
const REST_LIMIT_MS = 90_000;
/** Of a whole round, with a start of either side. */
const ROUND_LIMIT_MS = 180_000;

const undo = new UndoStack();
const tally: Record<string, number> = {};
let machines: Machines;
let workspace: string;
let people: RealPeople;
let developing: Going;
/** Where the server keeps what was displaced there. */
let store: string;

beforeAll(async () => {
  machines = await openMachines(FILES);
  undo.push(async () => machines.close());
  const { server, app, client } = machines;
  await server.json(app, ["user", "add", "anna"]);
  const token = z
    .object({ text: z.string() })
    .parse(await server.json(app, ["token", "create", "anna"]));
  const login = ["login", machines.url];
  await machines.json(client.folder, [...login, "--ca", machines.certificateFile], {
    RAMET_TOKEN: token.text,
  });
  workspace = path.join(client.folder, "clone");
  await server.git(client.folder, "clone", "-q", app, workspace);
  const made = environmentSchema.parse(
    await machines.json(workspace, ["env", "create", "agent", "--use", "--app", "paper"]),
  );
  people = new RealPeople({ local: workspace, remote: made.files.path });
  store = path.join(path.dirname(made.files.path), "sync");
  developing = await startDeveloping();
  undo.push(async () => developing.stop());
}, 240_000);
afterAll(async () => {
  process.stderr.write(`${JSON.stringify({ ...tally, writes: people.written.size })}\n`);
  await undo.undo();
}, 120_000);

test(
  `after each of ${rounds.length} rounds no write is lost, and both sides are the same (${title})`,
  async () => {
    for (const round of rounds) {
      const random = randomOf(round);
      const fault = pickFault(random);
      tally[fault] = (tally[fault] ?? 0) + 1;
      await people.workFor(random() * MOST_WORK_MS, random);
      const mend = await strike(fault);
      await people.workFor(random() * MOST_WORK_MS, random);
      await mend();
      await people.workFor((random() * MOST_WORK_MS) / 2, random);
      await eventually(async () => assertSame(), REST_LIMIT_MS).catch((error: unknown) => {
        throw new Error(`Round ${round}, ${fault}: ${developing.seen().slice(-3_000)}`, {
          cause: error,
        });
      });
      expect({ round, fault, lost: people.findLost([store]) }).toEqual({ round, fault, lost: [] });
    }
  },
  rounds.length * ROUND_LIMIT_MS,
);

type Fault = Cut | "kill-client" | "kill-server" | "kill-both" | "sleep" | "link-down";

function pickFault(random: () => number): Fault {
  const faults: readonly Fault[] = [
    ...CUTS,
    "kill-client",
    "kill-client",
    "kill-server",
    "kill-both",
    "sleep",
    ...(machines.setLink === null ? [] : (["link-down"] as const)),
  ];
  return faults[Math.floor(random() * faults.length)] ?? "reset";
}

/** Resolves with what mends it. */
async function strike(fault: Fault): Promise<() => Promise<void>> {
  if (fault === "kill-client") return killClient();
  if (fault === "kill-server") return killServer();
  if (fault === "kill-both") {
    const mends = [await killServer(), await killClient()];
    return async () => {
      for (const mend of mends) await mend();
    };
  }
  if (fault === "sleep") {
    developing.send("SIGSTOP");
    return async () => developing.send("SIGCONT");
  }
  if (fault === "link-down") {
    await machines.setLink?.(false);
    return async () => machines.setLink?.(true);
  }
  machines.relay.cut(fault);
  return async () => machines.relay.mend();
}

async function killClient(): Promise<() => Promise<void>> {
  developing.send("SIGKILL");
  await developing.ended;
  return async () => {
    developing = await startDeveloping();
  };
}

/** Until it has found its environment it gives up where there is no server, as every command does. */
async function startDeveloping(): Promise<Going> {
  const going = await machines.start(workspace, ["dev"]);
  await eventually(async () => expect(going.seen()).toContain("agent"), REST_LIMIT_MS);
  return going;
}

async function killServer(): Promise<() => Promise<void>> {
  await machines.killServer();
  return async () => machines.startServer();
}

const comparedSchema = z.object({
  local: z.array(z.string()),
  remote: z.array(z.string()),
  conflicts: z.array(z.string()),
});

/** As it is to be seen from outside; a path that differs must be a conflict, and then on both sides as it was. */
async function assertSame(): Promise<void> {
  const differing = people.read().filter(({ local, remote }) => local !== remote);
  if (differing.length === 0) return;
  const status = comparedSchema.parse(await machines.json(workspace, ["status"]));
  expect(status).toMatchObject({ local: [], remote: [] });
  const still = people.read().filter(({ local, remote }) => local !== remote);
  expect(still.map(({ path: name }) => name)).toEqual(
    still.flatMap(({ path: name }) => (isConflict(name, status.conflicts) ? [name] : [])),
  );
}

/** One below a file on the other side, and that file, conflict with each other. */
function isConflict(name: string, conflicts: readonly string[]): boolean {
  return conflicts.some(
    (one) => one === name || one.startsWith(`${name}/`) || name.startsWith(`${one}/`),
  );
}

test("in the end nothing lies aside, and whoever is asked once more has nothing to do", async () => {
  await developing.stop();
  const status = comparedSchema.parse(await machines.json(workspace, ["status"]));
  expect(status).toMatchObject({ local: [], remote: [] });
  for (const folder of [path.join(workspace, ".ramet"), store])
    expect(await listAside(folder)).toEqual([]);
  expect(await readFile(path.join(workspace, ".gitignore"), "utf8")).toBe("node_modules\n");
});
