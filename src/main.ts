import { homedir } from "node:os";
import path from "node:path";

import { isoTime, systemClock } from "./base/clock.ts";
import { NODE_ARGUMENTS } from "./base/own-program.ts";
import { hasErrorCode } from "./base/problem.ts";
import type { Context, Writer } from "./cli/cli.ts";
import { findHome } from "./protocol/home.ts";

/** 128 + SIGINT, as a shell reports it. */
const EXIT_STOPPED = 130;
const DEFAULT_COLUMNS = 80;
/** What was being drawn may have hidden it. */
const SHOW_CURSOR = "\u001b[?25h";

process.exit(await main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  leaveQuietlyWithTheReader();
  const { runCli } = await import("./cli/cli.ts");
  const exitCode = await runCli(argv, createContext());
  await drain(process.stdout);
  return exitCode;
}

function createContext(): Context {
  const uid = process.getuid?.() ?? null;
  const home = findHome({ environment: process.env, uid, userHome: homedir() });
  const program = [process.execPath, ...NODE_ARGUMENTS, path.join(import.meta.dirname, "start.js")];
  const stops = listenForStops();
  return {
    folder: process.cwd(),
    environment: process.env,
    stdin: {
      // Standard input itself is opened by whoever reads it.
      isTerminal: process.getBuiltinModule("node:tty").isatty(0),
      open: () => process.stdin,
    },
    stdout: createWriter(process.stdout),
    stderr: createWriter(process.stderr),
    signal: stops.signal,
    shielded: stops.shielded,
    home,
    program,
    uid,
    alone: async (work) => (await import("./server/server.ts")).workAlone(home, work),
    serve: async (version, listen) => {
      const { serve } = await import("./server/server.ts");
      return serve({
        home,
        version,
        listen,
        environment: process.env,
        signal: stops.signal,
        log: (text) => void process.stdout.write(`${isoTime(systemClock)} ${text}\n`),
      });
    },
  };
}

function createWriter(stream: NodeJS.WriteStream): Writer {
  return {
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY,
    get columns() {
      // A terminal that does not know its size says 0.
      return stream.columns || DEFAULT_COLUMNS;
    },
    get rows() {
      return stream.rows || undefined;
    },
  };
}

type Stops = Required<Pick<Context, "signal" | "shielded">>;

/** The first stop is a request, the second an order; while another program has the terminal it is that one's. */
function listenForStops(): Stops {
  const controller = new AbortController();
  let shields = 0;
  const stop = (): void => {
    if (shields > 0) return;
    if (controller.signal.aborted) leaveAtOnce();
    controller.abort(new DOMException("Stopped.", "AbortError"));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return {
    signal: controller.signal,
    shielded: async (work) => {
      shields += 1;
      try {
        return await work();
      } finally {
        shields -= 1;
      }
    },
  };
}

function leaveAtOnce(): never {
  if (process.stderr.isTTY) process.stderr.write(SHOW_CURSOR);
  process.exit(EXIT_STOPPED);
}

/** `ramet env list | head -1` is no mistake. */
function leaveQuietlyWithTheReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error) => {
      if (hasErrorCode(error, "EPIPE")) process.exit(0);
      throw error;
    });
  }
}

function drain(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}
