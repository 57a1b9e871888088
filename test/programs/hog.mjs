// Answers with its name on PORT; asked for /forks, /memory, /disk, /files, /log or /cpu it begins to take that, up to a
// bound of its own (HOG_* in its environment), so that nothing worse happens where nobody stops it.
import { spawn } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";

const { PORT, HOST = "127.0.0.1", NAME = "hog" } = process.env;
const SECONDS = Number(process.env.HOG_SECONDS ?? 20);
const MEGABYTE = 2 ** 20;
const until = () => Date.now() + SECONDS * 1000;

const hogs = {
  forks: () =>
    spawn("/bin/sh", [
      "-c",
      `n=0; while [ $n -lt ${process.env.HOG_FORKS ?? 300} ]; do sleep ${SECONDS} & n=$((n+1)); done; wait`,
    ]),
  memory: async () => {
    const held = [];
    const most = Number(process.env.HOG_MEGABYTES ?? 600) / 8;
    for (const end = until(); held.length < most && Date.now() < end; await sleep(5))
      held.push(Buffer.alloc(8 * MEGABYTE, 1));
    await sleep(SECONDS * 1000);
    held.length = 0;
  },
  disk: async () => {
    const file = openSync("hog.bin", "w");
    const chunk = Buffer.alloc(MEGABYTE, 1);
    const most = Number(process.env.HOG_MEGABYTES ?? 200);
    for (let written = 0; written < most; written += 1) {
      writeSync(file, chunk);
      if (written % 16 === 0) await sleep(1);
    }
    await sleep(SECONDS * 1000);
    closeSync(file);
    rmSync("hog.bin");
  },
  files: async () => {
    const open = [];
    try {
      while (open.length < Number(process.env.HOG_FILES ?? 40_000))
        open.push(openSync("/dev/null", "r"));
      console.log(`open: ${open.length}`);
    } catch (error) {
      console.log(`open: ${open.length}, then ${error.code}`);
    }
    await sleep(SECONDS * 1000);
    for (const file of open) closeSync(file);
  },
  log: async () => {
    const lines = `${"x".repeat(99)}\n`.repeat(640);
    for (const end = until(); Date.now() < end;)
      if (!process.stdout.write(lines))
        await new Promise((drained) => process.stdout.once("drain", drained));
  },
  cpu: () => {
    const spin = `const end = Date.now() + ${SECONDS * 1000}; while (Date.now() < end);`;
    return Array.from({ length: 4 }, () => new Worker(spin, { eval: true }));
  },
};

createServer((request, answer) => {
  const [, hog] = Object.entries(hogs).find(([name]) => request.url === `/${name}`) ?? [];
  answer.end(hog === undefined ? NAME : "begun");
  void hog?.();
}).listen(Number(PORT), HOST);
