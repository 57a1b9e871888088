import { expect, test } from "vitest";

import { createServerCertificate } from "../../base/certificates.ts";
import { describeCertificate } from "./describe-certificate.ts";

test("a certificate is told with its fingerprint and its end, which may have come", async () => {
  const validity = { from: new Date("2026-01-01"), until: new Date("2026-03-31") };
  const { certificate } = await createServerCertificate(["ramet.test"], {
    validity,
    authority: null,
  });
  const told = (day: string): string => describeCertificate(certificate, Date.parse(day));
  expect(told("2026-03-30")).toMatch(/^certificate SHA-256 [0-9A-F:]{95}, good until 2026-03-31$/);
  expect(told("2026-04-01")).toContain(", expired on 2026-03-31: nobody believes it");
});
