/** A server in which whatever comes to this step never goes on, even when it is given up: `stuck-server.ts HOME STEP`. */
import { findHome } from "../../src/protocol/home.ts";
import { serve } from "../../src/server/server.ts";

const [home = "", stuckAt = ""] = process.argv.slice(2);
const told = new AbortController();
process.once("SIGTERM", () => told.abort());

const exitCode = await serve({
  home: findHome({
    environment: { RAMET_HOME: home },
    uid: process.getuid?.() ?? null,
    userHome: home,
  }),
  version: "0.0.0",
  environment: process.env,
  signal: told.signal,
  letGoMs: 100,
  log: (text) => void process.stdout.write(`${text}\n`),
  checkpoint: async (step) => {
    process.stdout.write(`${step}\n`);
    if (step === stuckAt) await Promise.withResolvers<never>().promise;
  },
});
process.exit(exitCode);
