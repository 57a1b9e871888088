import { stripVTControlCharacters } from "node:util";

import { expect, test } from "vitest";

import type { LogLine, Progress } from "../../environment/environment.ts";
import { LogText } from "../text/log-text.ts";
import type { Writer } from "./context.ts";
import { openProgress } from "./progress.ts";
import type { ProgressView } from "./progress.ts";
import { styleFor } from "./style.ts";

const ESCAPE = String.fromCodePoint(27);

/** A terminal that knows as much of cursor movements as progress uses. */
class Screen implements Writer {
  readonly isTerminal = true;
  readonly columns: number;
  widest = 0;
  isCursorShown = true;
  #lines: string[] = [];

  constructor(columns: number) {
    this.columns = columns;
  }

  write(text: string): void {
    const up = new RegExp(`^${ESCAPE}\\[(\\d+)A${ESCAPE}\\[0J`).exec(text);
    if (up !== null) this.#lines.splice(-Number(up[1]));
    if (text.includes("[?25l")) this.isCursorShown = false;
    if (text.includes("[?25h")) this.isCursorShown = true;
    const lines = stripVTControlCharacters(text).split("\n").slice(0, -1);
    this.widest = Math.max(this.widest, ...lines.map((line) => line.length));
    this.#lines.push(...lines);
  }

  get text(): string {
    return this.#lines.join("\n");
  }
}

function openLive(screen: Screen): ProgressView {
  return openProgress("live", screen, styleFor(screen, {}, 0));
}

function step(
  part: Progress["part"],
  state: Progress["state"],
  detail: string | null = null,
): Progress {
  return { part, state, ms: state === "started" ? 0 : 143, detail };
}

const LINE: LogLine = {
  time: "2026-01-01T00:00:00.000Z",
  process: "setup",
  stream: "stdout",
  level: "info",
  message: "added 213 packages",
  fields: {},
  text: "added 213 packages",
};

test("several that are made side by side have a line each, which says what it is at, and leave none", () => {
  const screen = new Screen(80);
  const view = openLive(screen);
  view.report(step("files", "started"), "a");
  view.report(step("files", "started"), "b");
  view.report(step("files", "done"), "a");
  view.report(step("database", "started", "masking"), "a");
  const lines = screen.text.split("\n");
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^\S a database +masking$/);
  expect(lines[1]).toMatch(/^\S b files/);
  view.report(step("database", "done"), "a");
  view.report(step("files", "done"), "b");
  view.close();
  expect(screen.text).toBe("");
});

test("where nobody looks, each line names whose it is", () => {
  const printed: string[] = [];
  const output = {
    isTerminal: false,
    columns: Infinity,
    write: (text: string) => void printed.push(text),
  };
  const view = openProgress("plain", output, styleFor(output, {}, 0));
  view.report(step("database", "started", "removing rows"), "a");
  view.report(step("database", "done"));
  expect(printed).toEqual([
    "a database: started (removing rows)\n",
    "database: done after 143 ms\n",
  ]);
});

test("parts are redrawn in place, and folded into one line when all is done", () => {
  const screen = new Screen(80);
  const view = openLive(screen);
  view.report(step("files", "started"));
  view.report(step("database", "started"));
  view.report(step("files", "done", "reflink"));
  expect(screen.text).toMatch(/^✓ files {5}143 ms {4}reflink\n\S database/);
  view.report(step("database", "done"));
  view.report(step("seed", "skipped"));
  view.close();
  expect(screen.text).toBe("files 143 ms · database 143 ms");
  expect(screen.isCursorShown).toBe(true);
});

test("what failed stays to be seen, with what was under way", () => {
  const screen = new Screen(80);
  const view = openLive(screen);
  view.report(step("database", "done"));
  view.report(step("setup", "failed", "exit code 1"));
  view.close();
  view.close();
  view.report(step("seed", "started"));
  expect(screen.text).toBe("✓ database  143 ms\n✗ setup     143 ms    exit code 1");
});

test.each([40, 80])(
  "no line is wider than %i columns, whatever a process prints",
  async (columns) => {
    const screen = new Screen(columns);
    const view = openLive(screen);
    view.report(step("setup", "started"));
    view.line({ ...LINE, text: `${ESCAPE}[2Jx${"long ".repeat(100)}` });
    await expect.poll(() => screen.text).toContain("xlong");
    view.report(step("setup", "done", "d".repeat(300)));
    view.close();
    expect(screen.widest).toBeLessThanOrEqual(columns);
  },
);

test("a line that comes between stands above, and no part is drawn twice", () => {
  const screen = new Screen(80);
  const view = openLive(screen);
  view.note("Starting the server …");
  view.report(step("files", "done"));
  view.note("Two files differ.");
  view.above(() => screen.write("api │ up\n"));
  view.report(step("database", "done"));
  expect(screen.text).toBe(
    "Starting the server …\nTwo files differ.\napi │ up\n✓ files     143 ms\n✓ database  143 ms",
  );
  view.close();
  expect(screen.text.split("\n").at(-1)).toBe("files 143 ms · database 143 ms");
});

test("on a narrow terminal the summary is broken between parts, and none is lost", () => {
  const screen = new Screen(30);
  const view = openLive(screen);
  for (const part of ["files", "database", "migrate", "seed", "runtime"] as const)
    view.report(step(part, "done"));
  view.close();
  const lines = screen.text.split("\n");
  expect(lines.join(" ")).toBe(
    "files 143 ms · database 143 ms · migrate 143 ms · seed 143 ms · runtime 143 ms",
  );
  for (const line of lines) expect(line).toMatch(/^(· )?\w+ 143 ms/);
  expect(screen.widest).toBeLessThanOrEqual(30);
});

test("nothing is drawn where there was nothing to report", () => {
  const screen = new Screen(80);
  openLive(screen).close();
  expect(screen.text).toBe("");
});

test("processes have colours of their own, and one width", () => {
  const screen = new Screen(80);
  const text = new LogText(styleFor(screen, {}, 0), { names: ["web", "worker"], hasTimes: false });
  const web = text.format({ ...LINE, process: "web" });
  const worker = text.format({ ...LINE, process: "worker" });
  expect(stripVTControlCharacters(web)).toBe("web    │ added 213 packages");
  expect(stripVTControlCharacters(worker)).toBe("worker │ added 213 packages");
  expect(web.slice(0, 5)).not.toBe(worker.slice(0, 5));
});

test("a process's name cannot push the text away", () => {
  const text = new LogText(styleFor(new Screen(80), { NO_COLOR: "1" }, 0), {
    names: ["n".repeat(60)],
    hasTimes: false,
  });
  expect(text.format({ ...LINE, process: "web" })).toBe(
    `web${" ".repeat(13)} │ added 213 packages`,
  );
});
