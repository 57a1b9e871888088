/** A server and a client as two machines: each in a network namespace with an address of its own where root can make one, else both on loopback. */
import { randomBytes, randomInt } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { z } from "zod";

import { createServerCertificate } from "../../src/base/certificates.ts";
import { NODE_ARGUMENTS } from "../../src/base/own-program.ts";
import { UndoStack } from "../../src/base/undo-stack.ts";
import {
  endGroup,
  findFreePort,
  isRunning,
  runProgram,
  startDetached,
  startPiped,
} from "../../src/process/process.ts";
import type { Launch } from "../../src/process/process.ts";
import { Relay } from "../sync/relay.ts";
import { eventually, openStage, ROOT } from "./stage.ts";
import type { Ran, Stage } from "./stage.ts";

const START = path.join(ROOT, "src", "start.js");
const DAY_MS = 24 * 60 * 60 * 1000;
const LIMIT_MS = 120_000;

/** A command that goes on, on the client's machine. */
export type Going = {
  readonly pid: number;
  /** What it has printed so far, both streams. */
  seen(): string;
  /** Resolves with its exit code; null: it was killed. */
  readonly ended: Promise<number | null>;
  /** To it and all that it has started. */
  send(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void;
  stop(): Promise<void>;
};

export type Machines = {
  readonly server: Stage;
  /** The way there, which all that the client says goes by. */
  readonly relay: Relay;
  /** kill -9, and nothing else of what it has started. */
  killServer(): Promise<void>;
  startServer(): Promise<void>;
  /** Takes the cable away, or puts it in again; null: both machines are this one. */
  readonly setLink: ((isUp: boolean) => Promise<void>) | null;
  /** Where the server's `development` runs. */
  readonly app: string;
  readonly url: string;
  /** PEM: the server's certificate, which vouches for itself. */
  readonly certificateFile: string;
  readonly certificate: string;
  /** On the client's machine: a home, and folders. */
  readonly client: { readonly home: string; readonly folder: string };
  /** Runs a command on the client's machine. */
  ramet(folder: string, argv: readonly string[], environment?: Environment): Promise<Ran>;
  json(folder: string, argv: readonly string[], environment?: Environment): Promise<unknown>;
  start(folder: string, argv: readonly string[], environment?: Environment): Promise<Going>;
  close(): Promise<void>;
};

export type Environment = Readonly<Record<string, string>>;
type Network = {
  readonly address: string;
  readonly prefix: readonly string[];
  readonly setLink: Machines["setLink"];
};

/** With an app of these files on the server's machine, and a server that listens for others. */
export async function openMachines(files: Readonly<Record<string, string>>): Promise<Machines> {
  const undo = new UndoStack();
  try {
    const server = await openStage();
    undo.push(() => server.close());
    const network = await openNetwork(undo);
    const app = await makeApp(server, files);
    const port = await findFreePort();
    const pem = await writeCertificate(server.folder, network.address);
    const listening = { network, port, pem };
    await startServer(server, listening);
    const relay = await Relay.open({ host: network.address, port });
    undo.push(() => relay.close());
    await server.json(app, ["init"]);
    const client = await makeClient(server.folder);
    const prefix = [...network.prefix, process.execPath, ...NODE_ARGUMENTS, START];
    const runners = createRunners(client.home, prefix);
    return {
      server,
      relay,
      killServer: async () => killServer(server),
      startServer: async () => startServer(server, listening),
      setLink: network.setLink,
      app,
      url: `https://${network.address}:${relay.port}`,
      certificateFile: pem.certificate,
      certificate: await readFile(pem.certificate, "utf8"),
      client,
      ...runners,
      close: () => undo.undo(),
    };
  } catch (error) {
    await undo.undo();
    throw error;
  }
}

function createRunners(
  home: string,
  prefix: readonly string[],
): Pick<Machines, "ramet" | "json" | "start"> {
  return {
    ramet: async (folder, argv, environment = {}) =>
      runThere([...prefix, ...argv], { folder, home, environment }),
    json: async (folder, argv, environment = {}) => {
      const ran = await runThere([...prefix, ...argv, "--json"], { folder, home, environment });
      if (ran.exitCode !== 0)
        throw new Error(`ramet ${argv.join(" ")}: ${ran.stdout}${ran.stderr}`);
      const value: unknown = JSON.parse(ran.stdout);
      return value;
    },
    start: async (folder, argv, environment = {}) =>
      startThere([...prefix, ...argv], { folder, home, environment }),
  };
}

type There = {
  readonly folder: string;
  readonly home: string;
  readonly environment: Environment;
};

function launchOf(
  [file = "", ...args]: readonly string[],
  { folder, home, environment }: There,
): Launch {
  const { PATH = "" } = process.env;
  const own = { PATH, HOME: home, RAMET_HOME: home, NO_COLOR: "1" };
  return { file, args, folder, environment: { ...own, ...environment }, user: null };
}

async function runThere(argv: readonly string[], there: There): Promise<Ran> {
  const ran = await runProgram(launchOf(argv, there), { timeoutMs: LIMIT_MS });
  return { exitCode: ran.exitCode ?? 255, stdout: ran.stdout, stderr: ran.stderr };
}

async function startThere(argv: readonly string[], there: There): Promise<Going> {
  const { pid, stdout, stderr, exited } = await startPiped(launchOf(argv, there));
  let seen = "";
  for (const stream of [stdout, stderr])
    stream.setEncoding("utf8").on("data", (text) => void (seen += String(text)));
  return {
    pid,
    seen: () => seen,
    ended: exited.then(({ exitCode }) => exitCode),
    send: (signal) => void process.kill(-pid, signal),
    stop: async () => {
      await endGroup(pid, { graceMs: 10_000 });
    },
  };
}

/** Two ends of one cable: ours, and one in a namespace that has nothing else. */
async function openNetwork(undo: UndoStack): Promise<Network> {
  const nothing: Network = { address: "127.0.0.1", prefix: [], setLink: null };
  if (process.getuid?.() !== 0) return nothing;
  const name = `rmt${randomBytes(3).toString("hex")}`;
  const net = `10.${randomInt(64, 128)}.${randomInt(0, 256)}`;
  if (!(await tryIp("netns", "add", name))) return nothing;
  undo.push(async () => void (await tryIp("netns", "delete", name)));
  const isMade =
    (await tryIp("link", "add", `${name}a`, "type", "veth", "peer", `${name}b`, "netns", name)) &&
    (await tryIp("address", "add", `${net}.1/30`, "dev", `${name}a`)) &&
    (await tryIp("link", "set", `${name}a`, "up")) &&
    (await tryIp("-n", name, "address", "add", `${net}.2/30`, "dev", `${name}b`)) &&
    (await tryIp("-n", name, "link", "set", `${name}b`, "up")) &&
    (await tryIp("-n", name, "link", "set", "lo", "up"));
  undo.push(async () => void (await tryIp("link", "delete", `${name}a`)));
  if (!isMade) return nothing;
  return {
    address: `${net}.1`,
    prefix: ["ip", "netns", "exec", name],
    setLink: async (isUp) => void (await tryIp("link", "set", `${name}a`, isUp ? "up" : "down")),
  };
}

async function tryIp(...args: readonly string[]): Promise<boolean> {
  const { PATH = "" } = process.env;
  const launch = { file: "ip", args, folder: "/", environment: { PATH }, user: null };
  try {
    return (await runProgram(launch, { timeoutMs: 10_000 })).exitCode === 0;
  } catch {
    // There is no such program: both stay on loopback.
    return false;
  }
}

async function makeApp(stage: Stage, files: Readonly<Record<string, string>>): Promise<string> {
  const app = path.join(stage.folder, "paper");
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(app, name)), { recursive: true });
    await writeFile(path.join(app, name), text);
  }
  await stage.git(app, "init", "-q", "-b", "main");
  await stage.git(app, "add", "-A");
  await stage.git(app, "commit", "-qm", "Paper");
  return app;
}

async function makeClient(folder: string): Promise<Machines["client"]> {
  const client = { home: path.join(folder, "client-home"), folder: path.join(folder, "client") };
  for (const one of Object.values(client)) await mkdir(one, { mode: 0o700 });
  return client;
}

type Pem = { readonly certificate: string; readonly key: string };

async function writeCertificate(folder: string, address: string): Promise<Pem> {
  const now = Date.now();
  const validity = { from: new Date(now - DAY_MS), until: new Date(now + DAY_MS) };
  const pair = await createServerCertificate([address], { validity, authority: null });
  const pem = { certificate: path.join(folder, "cert.pem"), key: path.join(folder, "key.pem") };
  await writeFile(pem.certificate, pair.certificate);
  await writeFile(pem.key, pair.key, { mode: 0o600 });
  return pem;
}

const statusSchema = z.object({ running: z.boolean(), pid: z.number().nullable() });

async function killServer(stage: Stage): Promise<void> {
  const { pid } = statusSchema.parse(await stage.json(stage.folder, ["server", "status"]));
  if (pid === null) throw new Error("There is no server to kill.");
  process.kill(pid, "SIGKILL");
  await eventually(async () => {
    if (isRunning(pid)) throw new Error("The server lives.");
  });
}

async function startServer(
  stage: Stage,
  { network, port, pem }: { network: Network; port: number; pem: Pem },
): Promise<void> {
  const { PATH = "", HOME = "/" } = process.env;
  const listen = ["--listen", `${network.address}:${port}`];
  const tls = ["--tls-cert", pem.certificate, "--tls-key", pem.key];
  await mkdir(stage.home, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  await startDetached(
    {
      file: process.execPath,
      args: [...NODE_ARGUMENTS, START, "serve", ...listen, ...tls],
      folder: stage.folder,
      environment: { PATH, HOME, RAMET_HOME: stage.home },
      user: null,
    },
    { output: path.join(stage.home, "server.log") },
  );
  await eventually(async () => {
    const status = statusSchema.parse(await stage.json(stage.folder, ["server", "status"]));
    if (!status.running) throw new Error("The server does not run yet.");
  });
}
