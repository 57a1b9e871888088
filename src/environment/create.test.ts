import { expect, test } from "vitest";

import { buildEnvironment } from "./create.ts";
import type { PreparationStep, Progress } from "./environment.ts";
import { isEnvironmentId } from "./environment.ts";
import { parseAppName, parseEnvironmentName } from "./name.ts";
import type { Draft, Parts } from "./parts.ts";

/** Parts that only note what is asked of them, and fail at the step that is named. */
function noteParts(
  failing: string | null,
  steps: readonly PreparationStep[] = [],
): { parts: Parts; notes: string[] } {
  const notes: string[] = [];
  const step = async <T>(name: string, result: T): Promise<T> => {
    notes.push(name);
    await Promise.resolve();
    if (name === failing) throw new Error(`${name} failed`);
    notes.push(`${name} done`);
    return result;
  };
  const record = {
    name: "shop",
    appPassword: "a",
    adminPassword: "b",
    postgres: { version: "18.4", bin: null },
  };
  const fork = { way: "reflink", bytes: 1, missed: null } as const;
  const parts: Parts = {
    prepare: async () => step("prepare", undefined),
    provideFiles: async () => step("files", "copied"),
    provideDatabase: async () => step("database", { record, detail: "reflink", fork }),
    writeRecord: async () => step("record", undefined),
    listSteps: async () => step("steps", steps),
    startProcesses: async () => step("processes", undefined),
    clear: async () => step("clear", undefined),
  };
  return { parts, notes };
}

const id = "abcdefghijklmnop";
if (!isEnvironmentId(id)) throw new Error("The fixture's id is none.");
const draft: Draft = {
  id,
  app: parseAppName("shop"),
  name: parseEnvironmentName("agent"),
  parent: parseEnvironmentName("development"),
  createdAt: "2026-01-01T00:00:00.000Z",
  files: { kind: "linked", path: "/tmp/agent" },
  ports: {},
  searchPath: "/usr/bin",
  uid: null,
  setupStamp: null,
  data: "all",
};

function options(signal = new AbortController().signal): {
  seen: Progress[];
  report: (progress: Progress) => void;
  clock: () => number;
  signal: AbortSignal;
} {
  const seen: Progress[] = [];
  return { seen, report: (progress) => seen.push(progress), clock: () => 0, signal };
}

test("files and database are made side by side, and the record comes last", async () => {
  const { parts, notes } = noteParts(null);
  const { record } = await buildEnvironment(draft, parts, options());

  expect(notes.indexOf("database")).toBeLessThan(notes.indexOf("files done"));
  expect(notes.slice(-2)).toEqual(["record", "record done"]);
  expect(record.state).toEqual({ kind: "preparing" });
});

test("processes are started when the files are there, without waiting for the database", async () => {
  const { parts, notes } = noteParts(null);
  const { promise, resolve } = Promise.withResolvers<void>();
  const building = buildEnvironment(
    draft,
    {
      ...parts,
      startProcesses: async () => {
        notes.push("processes");
        resolve();
      },
      provideDatabase: async (one) => {
        await promise;
        return parts.provideDatabase(one);
      },
    },
    options(),
  );
  await building;

  expect(notes.indexOf("files done")).toBeLessThan(notes.indexOf("processes"));
  expect(notes.indexOf("processes")).toBeLessThan(notes.indexOf("database done"));
});

test("what is to be run is found out before anything is brought to a workspace, and beside a copy of its own", async () => {
  const linked = noteParts(null);
  await buildEnvironment(draft, linked.parts, options());
  expect(linked.notes.indexOf("steps done")).toBeLessThan(linked.notes.indexOf("files"));

  const kept = noteParts(null);
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const parts: Parts = {
    ...kept.parts,
    provideFiles: async (one) => {
      resolve();
      return kept.parts.provideFiles(one);
    },
    listSteps: async (one) => {
      await begun;
      return kept.parts.listSteps(one);
    },
  };
  const files = { kind: "kept", path: "/data/files" } as const;
  const { record } = await buildEnvironment({ ...draft, files }, parts, options());
  expect(record.files).toEqual(files);
});

test("where something is to be run first, processes are not started ahead, and the record says what remains", async () => {
  const { parts, notes } = noteParts(null, ["migrate"]);
  const { record } = await buildEnvironment(draft, parts, options());

  expect(notes).not.toContain("processes");
  expect(record.remaining).toEqual(["migrate"]);
});

test.each(["prepare", "files", "steps", "database", "record"])(
  "when %s fails, what was begun is cleared, once",
  async (failing) => {
    const { parts, notes } = noteParts(failing);

    await expect(buildEnvironment(draft, parts, options())).rejects.toThrow(`${failing} failed`);

    expect(notes.filter((note) => note === "clear")).toHaveLength(1);
    expect(notes.at(-1)).toBe("clear done");
  },
);

test("nothing is cleared while another part is still being made", async () => {
  const { parts, notes } = noteParts("files");

  await expect(buildEnvironment(draft, parts, options())).rejects.toThrow("files failed");

  expect(notes.indexOf("database done")).toBeLessThan(notes.indexOf("clear"));
});

test("a caller who went away before the commit leaves nothing behind", async () => {
  const { parts, notes } = noteParts(null);

  await expect(
    buildEnvironment(draft, parts, options(AbortSignal.abort(new Error("gone")))),
  ).rejects.toThrow("gone");

  expect(notes).not.toContain("record");
  expect(notes.at(-1)).toBe("clear done");
});

test("each part is reported as it begins and as it ends, with how it was done", async () => {
  const { seen, ...rest } = options();
  await buildEnvironment(draft, noteParts(null).parts, rest);

  const ends = seen
    .filter(({ state }) => state === "done")
    .map(({ part, detail }) => [part, detail]);
  expect(new Map(ends.map(([part, detail]) => [part, detail]))).toEqual(
    new Map([
      ["files", "copied"],
      ["database", "reflink"],
    ]),
  );
  expect(seen.filter(({ state }) => state === "started")).toHaveLength(2);
});
