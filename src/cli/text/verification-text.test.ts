import { expect, test } from "vitest";

import type { VerificationView } from "../../protocol/schemas.ts";
import type { Style } from "../terminal/style.ts";
import { countOutcomes, formatVerification } from "./verification-text.ts";

const PLAIN: Style = { columns: 100, now: 0, hasColors: false, paint: (_format, text) => text };
const HELD = {
  id: "neighbour-file",
  subject: "files",
  tries: "read a neighbour's file",
  expected: "not there",
  outcome: "held",
  detail: "ENOENT",
} as const;
const VERIFICATION: VerificationView = {
  app: "shop",
  environment: "agent",
  isolation: "isolated (bubblewrap): files, processes, network",
  probes: [
    HELD,
    { ...HELD, id: "x", tries: "list a neighbour's files" },
    {
      id: "loopback",
      subject: "network",
      tries: "reach the loopback",
      expected: "nobody listens",
      outcome: "leaked",
      detail: "read ramet-canary-1f2e…",
    },
    {
      id: "keys",
      subject: "shared",
      tries: "find a key",
      expected: "not permitted",
      outcome: "not applicable",
      detail: "Perl is not here",
    },
  ],
};

test("what was tried stands by what it is about, what leaked once more below, and the sum last", () => {
  expect(formatVerification(VERIFICATION, PLAIN)).toBe(
    [
      "ABOUT    IT TRIED TO               OUTCOME           MET WITH",
      "files    read a neighbour's file   ✓ held            ENOENT",
      "         list a neighbour's files  ✓ held            ENOENT",
      "network  reach the loopback        ✗ leaked          read ramet-canary-1f2e…",
      "shared   find a key                – not applicable  Perl is not here",
      "",
      "✗ It could reach the loopback: read ramet-canary-1f2e… (expected: nobody listens).",
      "✗ shop/agent, isolated (bubblewrap)",
      "  4 probes: 2 held, 1 leaked, 1 not applicable",
    ].join("\n"),
  );
  expect(countOutcomes(VERIFICATION)).toEqual({ held: 2, leaked: 1, "not applicable": 1 });
});

test("in a narrow terminal it is said still what leaked, and how", () => {
  const text = formatVerification(VERIFICATION, { ...PLAIN, columns: 64 });
  expect(text).toContain("It could reach the loopback: read ramet-canary-1f2e…");
  expect(
    text
      .split("\n")
      .slice(0, 5)
      .every((line) => line.length <= 64),
  ).toBe(true);
});
