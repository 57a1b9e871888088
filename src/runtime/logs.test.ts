import {
  appendFile,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";

import { afterEach, beforeEach, expect, test } from "vitest";

import { LogFile, MAX_LOG_BYTES } from "./log-file.ts";
import type { LogQuestion } from "./logs.ts";
import { followLog, readLog } from "./runtime.ts";

let logs: string;
let clock: { now(): number; ms: number };

beforeEach(async () => {
  logs = await mkdtemp(path.join(tmpdir(), "ramet-logs-"));
  clock = { ms: 1_000, now: () => (clock.ms += 1) };
});

afterEach(async () => {
  await rm(logs, { recursive: true });
});

async function texts(process: string | null, last = 100): Promise<readonly string[]> {
  return (await readLog(logs, { process, last })).map((one) => one.text);
}

function formatLine(text: string): string {
  return `${JSON.stringify({ time: "t", process: "web", stream: "stdout", text })}\n`;
}

/** Reads until the line is heard, or the test's time is over. */
async function followUntil(
  end: string,
  options: LogQuestion,
  act: (heard: string) => Promise<void>,
): Promise<string[]> {
  const stop = new AbortController();
  const heard: string[] = [];
  for await (const one of followLog(logs, { ...options, signal: stop.signal })) {
    heard.push(one.text);
    if (one.text === end) stop.abort();
    else await act(one.text);
  }
  return heard;
}

test("the last lines of all processes come in the order of their time", async () => {
  const [web, jobs] = [new LogFile(logs, "web", clock), new LogFile(logs, "jobs", clock)];
  for (let n = 0; n < 3; n += 1) {
    await web.write("stdout", [`web ${n}`]);
    await jobs.write("stderr", [`jobs ${n}`]);
  }

  expect(await texts(null, 3)).toEqual(["jobs 1", "web 2", "jobs 2"]);
  expect(await texts("web")).toEqual(["web 0", "web 1", "web 2"]);
  expect(await texts("web", 0)).toEqual([]);
  expect(await texts("nobody")).toEqual([]);
  expect((await readLog(logs, { process: "jobs", last: 1 }))[0]).toEqual({
    time: "1970-01-01T00:00:01.006Z",
    process: "jobs",
    stream: "stderr",
    level: "error",
    message: "jobs 2",
    fields: {},
    text: "jobs 2",
  });
  await Promise.all([web.close(), jobs.close()]);
});

test("an environment that never ran has no log", async () => {
  expect(await readLog(path.join(logs, "none"), { process: null, last: 5 })).toEqual([]);
});

test("logs are bounded, and the last lines reach back into older files", async () => {
  const log = new LogFile(logs, "web", clock);
  const filler = "f".repeat(50_000);
  for (let n = 0; n < 700; n += 1) await log.write("stdout", [`${n} ${filler}`]);
  await log.close();

  for (const name of ["web.jsonl", "web.1.jsonl", "web.2.jsonl"]) {
    expect((await stat(path.join(logs, name))).size).toBeLessThanOrEqual(MAX_LOG_BYTES);
  }
  const numbers = (await texts("web", 250)).map((text) => Number.parseInt(text, 10));
  expect(numbers).toEqual(Array.from({ length: 250 }, (_, n) => 450 + n));
});

test("the last lines that match are found however far back they stand, and those before a time are left out", async () => {
  const log = new LogFile(logs, "web", clock);
  const filler = "f".repeat(50_000);
  for (let n = 0; n < 300; n += 1) await log.write("stdout", [`${n} ${filler}`, `needle ${n}`]);
  await log.close();

  const ask = async (options: LogQuestion): Promise<readonly string[]> =>
    (await readLog(logs, options)).map(({ message }) => message);
  const question = { process: null, last: 3, grep: "^Needle \\d$" };
  expect(await ask({ ...question, grep: "^needle \\d$" })).toEqual([
    "needle 7",
    "needle 8",
    "needle 9",
  ]);
  expect(await ask(question)).toEqual([]);
  const [needle] = await readLog(logs, { process: "web", last: 1, grep: "needle 297" });
  const since = needle?.time ?? "";
  const all = { process: null, last: 100, grep: "needle", since };
  expect(await ask(all)).toEqual(["needle 297", "needle 298", "needle 299"]);
});

test("following shows those that match alone, and goes on over those that do not", async () => {
  const log = new LogFile(logs, "web", clock);
  await log.write("stderr", ["go"]);
  const heard = await followUntil(
    "end",
    { process: null, last: 1, level: "error" },
    async (text) => {
      if (text !== "go") return;
      await log.write("stdout", ["quiet"]);
      await log.write("ramet", ["also quiet"], "info");
      await log.write("ramet", ["loud"], "error");
      await log.write("stderr", ["end"]);
    },
  );
  await log.close();
  expect(heard).toEqual(["go", "loud", "end"]);
});

test("an expression that backtracks without end is given up, and one that is none is refused", async () => {
  const log = new LogFile(logs, "web", clock);
  await log.write("stdout", [`${"a".repeat(40)}b`]);
  await log.close();
  const ask = async (grep: string): Promise<unknown> =>
    readLog(logs, { process: null, last: 5, grep });
  await expect(ask("(a+)+$")).rejects.toMatchObject({ code: "log_pattern_slow" });
  await expect(ask("(")).rejects.toMatchObject({ code: "log_pattern_invalid" });
});

test("wherever a chunk ends, the last lines are those that were written last", async () => {
  const log = new LogFile(logs, "web", clock);
  // As long as to end before, at and behind the place at which a chunk of the file does.
  const lengths = [1, 50, 1000, 40_000, 65_000];
  const written: string[] = [];
  for (let n = 0; n < 120; n += 1) {
    const text = `${n} ${"é".repeat((lengths[n % lengths.length] ?? 1) / 2)}`;
    written.push(text.slice(0, 20));
    await log.write("stdout", [text]);
  }
  await log.close();
  for (const last of [1, 7, 60, 119, 120, 500]) {
    const read = (await texts("web", last)).map((text) => text.slice(0, 20));
    expect(read).toEqual(written.slice(-last));
  }
  const odd = await readLog(logs, { process: "web", last: 10, grep: "^\\d*[13579] " });
  expect(odd.map(({ text }) => Number.parseInt(text, 10))).toEqual(
    Array.from({ length: 10 }, (_, n) => 101 + 2 * n),
  );
});

test("half a line, garbage and other files are left out, and the next line is whole again", async () => {
  const first = new LogFile(logs, "web", clock);
  await first.write("stdout", ["before"]);
  await first.close();
  await appendFile(path.join(logs, "web.jsonl"), 'null\n{"time":1}\n{"time":"2020","proc');
  await writeFile(path.join(logs, "keeper.log"), "no json\n");
  expect(await texts(null)).toEqual(["before"]);

  const second = new LogFile(logs, "web", clock);
  await second.write("stdout", ["after"]);
  await second.close();

  expect(await texts(null)).toEqual(["before", "after"]);
});

test("a link or a folder in place of a log leads nowhere", async () => {
  const secret = path.join(logs, "secret.txt");
  await writeFile(
    secret,
    `${JSON.stringify({ time: "t", process: "web", stream: "stdout", text: "secret" })}\n`,
  );
  await symlink(secret, path.join(logs, "web.jsonl"));
  await mkdir(path.join(logs, "api.jsonl"));
  const before = await readFile(secret, "utf8");

  const log = new LogFile(logs, "web", clock);
  await log.write("stdout", ["dropped"]);

  expect(await texts(null)).toEqual([]);
  expect(await readFile(secret, "utf8")).toBe(before);
});

test("following begins with the last lines and goes on with new ones, of new processes too", async () => {
  const [web, jobs] = [new LogFile(logs, "web", clock), new LogFile(logs, "jobs", clock)];
  await web.write("stdout", ["one", "two", "three"]);

  const heard = await followUntil("end", { process: null, last: 2 }, async (text) => {
    if (text === "three") await jobs.write("stdout", ["born"]);
    if (text === "born") await web.write("stdout", ["four"]);
    if (text === "four") await jobs.write("stdout", ["end"]);
  });

  expect(heard).toEqual(["two", "three", "born", "four", "end"]);
  await Promise.all([web.close(), jobs.close()]);
});

test("following one process hears no other", async () => {
  const [web, jobs] = [new LogFile(logs, "web", clock), new LogFile(logs, "jobs", clock)];
  await web.write("stdout", ["go"]);

  const heard = await followUntil("end", { process: "web", last: 1 }, async () => {
    await jobs.write("stdout", ["noise"]);
    await web.write("stdout", ["end"]);
  });

  expect(heard).toEqual(["go", "end"]);
  await Promise.all([web.close(), jobs.close()]);
});

test("a line that is written in two halves is heard once, whole", async () => {
  const file = path.join(logs, "web.jsonl");
  await writeFile(file, formatLine("go") + formatLine("half").slice(0, 20));

  const heard = await followUntil("end", { process: "web", last: 5 }, async (text) => {
    if (text === "go") await appendFile(file, formatLine("half").slice(20));
    if (text === "half") await appendFile(file, formatLine("end"));
  });

  expect(heard).toEqual(["go", "half", "end"]);
});

test("following loses nothing when the log is rotated, twice too", async () => {
  const log = new LogFile(logs, "web", clock);
  await log.write("stdout", ["go"]);
  const filler = "f".repeat(60_000);
  let last = "";

  const heard = await followUntil("end", { process: "web", last: 1 }, async (text) => {
    if (text !== "go") return;
    for (let n = 0; n < 400; n += 1) await log.write("stdout", [`${n} ${filler}`]);
    last = "end";
    await log.write("stdout", [last]);
  });

  const numbers = heard.slice(1, -1).map((text) => Number.parseInt(text, 10));
  expect(numbers).toEqual(Array.from({ length: 400 }, (_, n) => n));
  await log.close();
});

test("following ends when it is asked to, also while nothing is said", async () => {
  const signal = AbortSignal.timeout(50);
  const heard: unknown[] = [];
  for await (const one of followLog(path.join(logs, "none"), { process: null, last: 5, signal }))
    heard.push(one);

  expect(heard).toEqual([]);
});

test("a stream is copied line by line, the last without its end too, and its last lines are remembered", async () => {
  const log = new LogFile(logs, "web", clock);
  await log.copy("stdout", Readable.from([Buffer.from("a\nb"), Buffer.from("c\nlast")]));
  await log.write("ramet", ["a remark of ours"]);
  await log.close();

  expect(await texts("web")).toEqual(["a", "bc", "last", "a remark of ours"]);
  expect(log.lastLines()).toEqual(["a", "bc", "last"]);
});

test("a log that cannot be written holds nobody up, and is written again once it can be", async () => {
  const later = path.join(logs, "later");
  const log = new LogFile(later, "web", clock);
  await log.write("stdout", ["lost"]);
  await mkdir(later);
  await log.write("stdout", ["kept"]);
  await log.close();

  expect((await readLog(later, { process: null, last: 5 })).map((one) => one.text)).toEqual([
    "kept",
  ]);
});
