/**
 * A server that is killed, as by `kill -9`, at the checkpoint of this number, or of this name: `dying-server.ts HOME AT
 * [OTHERS]`. Those that end in OTHERS are not counted.
 */
import { findHome } from "../../src/protocol/home.ts";
import { serve } from "../../src/server/server.ts";

const [home = "", at = "1", others] = process.argv.slice(2);
let passed = 0;

await serve({
  home: findHome({
    environment: { RAMET_HOME: home },
    uid: process.getuid?.() ?? null,
    userHome: home,
  }),
  version: "0.0.0",
  environment: process.env,
  signal: new AbortController().signal,
  log: (text) => void process.stdout.write(`${text}\n`),
  checkpoint: (step) => {
    if (others !== undefined && step.endsWith(others)) return;
    passed += 1;
    process.stdout.write(`${step}\n`);
    if (step !== at && String(passed) !== at) return;
    process.stdout.write("killed\n");
    process.kill(process.pid, "SIGKILL");
  },
});
process.exit(0);
