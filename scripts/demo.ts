/**
 * `npm run demo`: forks a running shop for three agents at once, lets each change code, schema and rows,
 * and shows that each sees its own changes alone. `-- --exit` ends by itself; Ctrl-C ends it at any moment.
 */
import path from "node:path";
import { isDeepStrictEqual } from "node:util";

import { z } from "zod";

import { formatMs } from "../src/cli/terminal/style.ts";
import { formatTable } from "../src/cli/text/table.ts";
import { createdEnvironmentSchema, doctorSchema } from "../src/protocol/schemas.ts";
import type { CreatedEnvironment } from "../src/protocol/schemas.ts";
import { AGENTS, work } from "./demo/agents.ts";
import type { Agent } from "./demo/agents.ts";
import { readFacts, settleFacts } from "./demo/facts.ts";
import type { Facts } from "./demo/facts.ts";
import { Screen } from "./demo/screen.ts";
import { Stage } from "./demo/stage.ts";
import { Address, Traffic } from "./demo/traffic.ts";

type Seen = {
  readonly name: string;
  readonly url: string;
  readonly facts: Facts;
  readonly expected: Facts;
};

const screen = new Screen();
const interruption = new AbortController();
/** From when all is shown: a signal then only says that the person has seen enough. */
const farewell = { isAwaited: false, ...Promise.withResolvers<void>() };
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => (farewell.isAwaited ? farewell.resolve() : interruption.abort()));
}

process.exitCode = await main();

async function main(): Promise<number> {
  screen.title("Ramet: fork a running app, give a copy to every agent");
  const stage = await Stage.open(interruption.signal);
  let isSound = true;
  try {
    await perform(stage);
  } catch (error) {
    isSound = interruption.signal.aborted;
    const message = error instanceof Error ? error.message : error;
    const failure = `${screen.style.paint("red", "✗")} ${message}`;
    screen.line(isSound ? "\nInterrupted: all of it is cleared away." : `\n${failure}`);
  }
  const left = await screen.step("Server stopped, folders removed", () => stage.close());
  for (const one of left) screen.line(`  ${screen.style.paint("red", "✗")} ${one}`);
  return isSound && left.length === 0 ? 0 : 1;
}

async function perform(stage: Stage): Promise<void> {
  screen.title("A shop runs in its environment `development`");
  await screen.step("Sample app copied into a git repository", () => stage.createShop());
  const source = await screen.step(
    "ramet init: installed, migrated, 100,000 rows seeded, started",
    () => stage.ramet(["init"], createdEnvironmentSchema),
  );
  const address = new Address(requireUrl(source));
  const traffic = new Traffic(address);
  try {
    await stageAgents(stage, source, address);
    await putAway(stage);
    if (traffic.failures.length > 0)
      throw new Error(`Customers met failures: ${traffic.failures[0]}`);
  } finally {
    await traffic.stop();
    await address.close();
  }
  const summary = `${traffic.requests} requests, ${traffic.failures.length} failed, slowest ${formatMs(traffic.slowestMs)}`;
  screen.done("Customers of development were served all the while", summary);
}

async function stageAgents(
  stage: Stage,
  source: CreatedEnvironment,
  address: Address,
): Promise<void> {
  const before = await readFacts({ stage, folder: stage.shop, address });
  screen.title("Three agents get an environment each, forked at once while customers order");
  for (const { name } of AGENTS) {
    await stage.git(["worktree", "add", "--quiet", "-b", name, folderOf(stage, name)]);
  }
  const forks = await Promise.all(AGENTS.map((agent) => fork(stage, agent)));
  screen.title("Each agent changes code, schema and rows");
  await Promise.all(
    AGENTS.map((agent) =>
      screen.step(`${agent.name}: ${agent.changes}`, () =>
        work(agent, stage, folderOf(stage, agent.name)),
      ),
    ),
  );
  const seen = await Promise.all([
    observe(stage, { environment: source, folder: stage.shop, expected: before }),
    ...forks.map((environment, at) => {
      const expected = AGENTS[at]?.expect(before) ?? before;
      return observe(stage, { environment, folder: folderOf(stage, environment.name), expected });
    }),
  ]);
  showFacts(seen);
  const wrong = seen.filter(({ facts, expected }) => !isDeepStrictEqual(facts, expected));
  if (wrong.length > 0) throw new Error(`Not as expected: ${JSON.stringify(wrong, null, 2)}`);
  screen.done("Each sees its own changes, and no other's", "code, schema, rows");
  await linger();
}

async function fork(stage: Stage, { name }: Agent): Promise<CreatedEnvironment> {
  const command = ["env", "create", name, "--use"];
  const created = await screen.step(`ramet ${command.join(" ")}`, () =>
    stage.ramet(command, createdEnvironmentSchema, folderOf(stage, name)),
  );
  const { files, database, runtime } = created.timings;
  const parts = { database, files, processes: runtime };
  const detail = Object.entries(parts).map(([part, ms]) => `${part} ${formatMs(ms)}`);
  screen.line(screen.style.paint("dim", `    ${detail.join(", ")}`));
  return created;
}

type Observation = {
  readonly environment: CreatedEnvironment;
  readonly folder: string;
  readonly expected: Facts;
};

async function observe(
  stage: Stage,
  { environment, folder, expected }: Observation,
): Promise<Seen> {
  const url = requireUrl(environment);
  const address = new Address(url);
  try {
    const facts = await settleFacts({ stage, folder, address }, expected);
    return { name: environment.name, url, facts, expected };
  } finally {
    await address.close();
  }
}

function showFacts(seen: readonly Seen[]): void {
  const titles = [
    "environment",
    "headline (code)",
    "schema",
    "customers",
    "sum of prices",
    "sold out",
  ];
  const source = seen[0]?.facts;
  const rows = seen.map(({ name, facts }) => {
    const mark = (key: keyof Facts, text: string): string =>
      source === undefined || facts[key] === source[key] ? text : screen.style.paint("green", text);
    return [
      screen.style.paint("bold", name),
      mark("headline", facts.headline),
      mark("schema", facts.schema || "nothing new"),
      mark("customers", facts.customers.toLocaleString("en")),
      mark("priceSum", `$${Math.round(facts.priceSum / 100).toLocaleString("en")}`),
      mark("soldOut", String(facts.soldOut)),
    ];
  });
  const columns = titles.map((title) => ({ title }));
  screen.line(`\n${formatTable(columns, rows, screen.style)}\n`);
  for (const { name, url } of seen)
    screen.line(`  ${name.padEnd(12)} ${screen.style.paint("cyan", url)}`);
  screen.line("");
}

async function linger(): Promise<void> {
  if (process.argv.includes("--exit")) return;
  screen.line("\nOpen the URLs in a browser. Ctrl-C clears everything away.");
  farewell.isAwaited = true;
  await farewell.promise;
  screen.line("");
}

/** What the guide ends with; what was interrupted is cleared away by stopping the server. */
async function putAway(stage: Stage): Promise<void> {
  interruption.signal.throwIfAborted();
  screen.title("Each agent is done: environment and worktree go");
  for (const { name } of AGENTS) {
    await screen.step(`ramet env delete ${name} --force`, () =>
      stage.ramet(["env", "delete", name, "--force"], z.unknown()),
    );
    await stage.git(["worktree", "remove", "--force", folderOf(stage, name)]);
  }
  const { leftovers } = await screen.step("ramet doctor: nothing is left over", () =>
    stage.ramet(["doctor"], doctorSchema),
  );
  if (leftovers.length > 0) throw new Error(`Left over: ${JSON.stringify(leftovers)}`);
}

function folderOf(stage: Stage, name: string): string {
  return path.join(stage.folder, `agent-${name}`);
}

function requireUrl({ name, url }: CreatedEnvironment): string {
  if (url === null) throw new Error(`The environment ${name} has no URL.`);
  return url;
}
