/** Makes or removes a home's storage, and dies at a step as by `kill -9`: `storage.ts create|remove HOME SIZE STEP`. */
import { createStorage, removeStorage } from "../../src/storage/storage.ts";

const [action, home = "", size = "0", deadly = ""] = process.argv.slice(2);
const work = {
  signal: new AbortController().signal,
  tell: () => undefined,
  checkpoint: async (step: string) => {
    process.stdout.write(`${step}\n`);
    if (step === deadly) process.kill(process.pid, "SIGKILL");
  },
};

if (action === "create") await createStorage(home, Number(size), work);
else await removeStorage(home, work);
