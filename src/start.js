/**
 * Where every process of ours begins: it keeps what is compiled for the next one, then becomes `main.ts`. Plain JavaScript,
 * since the first file of TypeScript that is not kept yet costs more than the whole of a command.
 */
import { homedir } from "node:os";
import path from "node:path";

import { findHomeFolder } from "./protocol/home-folder.js";

// As an import it would load its streams too, which most commands do without.
const { mkdirSync, statSync } = process.getBuiltinModule("node:fs");

keepCompiledCode();
await import("./main.ts");

/** Below the home, and only where that is there and ours: what is kept is run unseen. */
function keepCompiledCode() {
  const uid = process.getuid?.() ?? null;
  const home = findHomeFolder({ environment: process.env, uid, userHome: homedir() });
  const folder = path.join(home, "compiled");
  try {
    if (uid !== null && statSync(home).uid !== uid) return;
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const isThere = error instanceof Error && "code" in error && error.code === "EEXIST";
    // Without a home, or below one that is read-only, a start is slower and does the same.
    if (!isThere) return;
  }
  process.getBuiltinModule("node:module").enableCompileCache(folder);
}
