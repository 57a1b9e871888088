// Starts a grandchild in a session of its own that holds our output, and exits.
import { spawn } from "node:child_process";
const child = spawn("sleep", ["60"], { detached: true, stdio: "inherit" });
console.log(child.pid);
child.unref();
