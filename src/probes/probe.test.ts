import { expect, test } from "vitest";

import { anyOf, NotApplicable, type Probe, Refused, runProbe } from "./probe.ts";
import { formatCanary, listProbes, parseFindings, parseReport } from "./probes.ts";
import { findCanary, type Targets } from "./targets.ts";

const REFUSAL = Object.assign(new Error("no"), { code: "ENOENT" });

async function outcomeOf(attempt: () => string | null): Promise<string> {
  const probe: Probe = { id: "x", tries: "do it", expected: "no", attempt };
  const { outcome, detail } = await runProbe(probe, NOTHING);
  return `${outcome}: ${detail}`;
}

test.each([
  ["what it got hold of", () => "opened /x", "leaked: opened /x"],
  ["nothing", () => null, "held: found nothing"],
  ["a refusal of the system", throwing(REFUSAL), "held: ENOENT"],
  ["a refusal of another kind", throwing(new Refused("wrong password")), "held: wrong password"],
  ["nothing to try it on", throwing(new NotApplicable("no disk")), "not applicable: no disk"],
])("a probe ends with %s", async (_, attempt, expected) => {
  expect(await outcomeOf(attempt)).toBe(expected);
});

test.each([
  new TypeError("x is not a function"),
  Object.assign(new Error("not a refusal"), { code: "ERR_X" }),
])("our own mistake is no proof that something held: %s", async (mistake) => {
  await expect(outcomeOf(throwing(mistake))).rejects.toThrow("The probe x failed.");
});

test("of several ways one that succeeds is enough, and each must be refused", async () => {
  const attempt = (way: number): string | null => {
    if (way === 0) throw REFUSAL;
    return way === 1 ? null : `way ${way}`;
  };
  expect(await anyOf([0, 1, 2], attempt)).toBe("way 2");
  await expect(anyOf([1, 0], attempt)).rejects.toBe(REFUSAL);
  await expect(anyOf([0, 1], attempt)).rejects.toThrow("found nothing");
  await expect(anyOf([], attempt)).rejects.toThrow(NotApplicable);
});

test("each probe has an id of its own, and says what it tries and what it is to meet", () => {
  const probes = listProbes();
  expect(probes.length).toBeGreaterThan(80);
  expect(new Set(probes.map(({ id }) => id)).size).toBe(probes.length);
  expect(new Set(probes.map(({ tries }) => tries)).size).toBe(probes.length);
  for (const { id, tries, expected } of probes) {
    // All of it fits into a terminal of 80 columns.
    expect(tries.length).toBeLessThanOrEqual(51);
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(expected).not.toBe("");
  }
});

test("a canary is found in what it stands in, and never told whole", () => {
  const canary = formatCanary("0123456789abcdef0123456789abcdef");
  expect(findCanary(`A=b\0KEY=${canary}\0`)).toBe("read ramet-canary-012345…");
  expect(findCanary(Buffer.from([0xff, ...Buffer.from(canary), 0xfe]))).not.toBeNull();
  expect(findCanary("ramet-canary-0123")).toBeNull();
});

test("what a program of the environment prints besides is no finding", () => {
  const finding = { id: "x", outcome: "held", detail: "ENOENT" };
  expect(parseFindings(JSON.stringify([finding]))).toEqual([finding]);
  for (const line of ["", "[1]", '[{"outcome":"maybe"}]', "{}", "(node:1) Warning"])
    expect(parseFindings(line)).toBeUndefined();
  for (const line of ["", "[]", "{}"]) expect(parseReport(line)).toBeUndefined();
});

function throwing(error: Error): () => never {
  return () => {
    throw error;
  };
}

/** No probe above looks at it. */
const NOTHING: Targets = {
  own: {
    tree: "",
    home: "",
    keeper: 1,
    keeperSocket: "",
    logs: "",
    databaseSocket: "",
    guarded: [],
  },
  neighbour: {
    id: "",
    folder: "",
    tree: "",
    variables: "",
    logs: "",
    database: "",
    databaseSocket: "",
    databaseName: "",
    keeperSocket: "",
    app: { path: "" },
    process: 1,
  },
  witness: {
    process: 1,
    folder: "",
    address: "",
    port: 1,
    port6: null,
    outer: null,
    datagramPort: 1,
    socket: "",
    abstract: "",
    sharedMemory: null,
    segment: null,
    key: null,
  },
  server: {
    process: 1,
    home: "",
    data: "",
    apps: "",
    keys: "",
    token: "",
    file: "",
    sockets: [],
    wayOut: "",
    spares: [],
    databasePort: 1,
  },
  machine: { hostname: "", personal: [], disks: [], processNamespace: "", groups: [] },
  network: "none",
  databaseUrl: null,
};
