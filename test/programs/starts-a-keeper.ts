// Stands for a server: starts a keeper at argv[2] with the plan of argv[3], says that it runs, and waits to be killed.
import { startRuntime } from "../../src/runtime/runtime.ts";

const [place = "", plan = ""] = process.argv.slice(2);
const runtime = await startRuntime(JSON.parse(place), { hasOwnNetwork: false });
await runtime.apply(JSON.parse(plan));
console.log("applied");
