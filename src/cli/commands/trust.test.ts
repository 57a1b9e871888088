import { access, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createLocalAuthority } from "../../base/certificates.ts";
import { runProgram } from "../../process/process.ts";
import { authoritySchema } from "../../protocol/schemas.ts";
import type { Authority } from "../../protocol/schemas.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";

const CERTUTIL = "/usr/bin/certutil";
const hasCertutil = await access(CERTUTIL).then(
  () => true,
  () => false,
);

let world: World;
let folder: string;
let authority: Authority;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-trust-"));
  world = await createWorld();
  const now = Date.now();
  const validity = { from: new Date(now - 1000), until: new Date(now + 3_600_000) };
  const { certificate } = await createLocalAuthority("Ramet in a test", validity);
  const file = path.join(folder, "authority.crt");
  await writeFile(file, certificate);
  authority = authoritySchema.parse({
    name: "Ramet in a test",
    file,
    certificate,
    fingerprint: "AB:CD:EF:01:23:45:67:89",
    expiresAt: new Date(now + 3_600_000).toISOString(),
  });
  await world.serve({ "server.authority": authority });
});
afterEach(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

function asOrdinaryUser(): { uid: number; environment: Record<string, string> } {
  return { uid: 1000, environment: { HOME: folder, PATH: "/nowhere" } };
}

describe.skipIf(hasCertutil || process.platform !== "linux")("without certutil", () => {
  test("nothing is changed, and each store says what would help", async () => {
    const ran = await world.ramet(["trust"], asOrdinaryUser());
    expect(ran.exitCode).toBe(2);
    expect(ran.err).toContain("libnss3-tools");
    expect(ran.err).toMatch(/sudo sh -c 'cp .*authority\.crt .*ramet-abcdef012345\.crt && /);
    expect(await readdir(folder)).toEqual(["authority.crt"]);
  });
});

describe.skipIf(!hasCertutil)("with certutil", () => {
  test("Chromium's store trusts it, once however often it is asked for, until that is undone", async () => {
    for (let n = 0; n < 2; n += 1)
      expect(await world.json(["trust"], asOrdinaryUser())).toMatchObject({
        stores: expect.arrayContaining([
          expect.objectContaining({ store: "chromium", state: "trusted" }),
        ]),
      });
    expect((await listTrusted()).match(/Ramet in a test +C,,/g)).toHaveLength(1);
    await world.json(["trust", "--undo"], asOrdinaryUser());
    expect(await listTrusted()).not.toContain("Ramet in a test");
  });
});

async function listTrusted(): Promise<string> {
  const database = `sql:${path.join(folder, ".pki", "nssdb")}`;
  const launch = { file: CERTUTIL, args: ["-L", "-d", database], folder: "/", environment: {} };
  return (await runProgram({ ...launch, user: null }, { timeoutMs: 10_000 })).stdout;
}
