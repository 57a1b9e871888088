// Starts a child in a session of its own, twice removed, and serves nothing.
import { spawn } from "node:child_process";
const inner = `const c = require("node:child_process").spawn("sleep", ["600"], { detached: true, stdio: "ignore" }); console.log("stray " + c.pid); c.unref();`;
spawn(process.execPath, ["-e", inner], { detached: true, stdio: "inherit" }).unref();
setInterval(() => {}, 1000);
