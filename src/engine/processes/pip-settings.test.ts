import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, test } from "vitest";

import { joinPipSettings, readPipSettings } from "./pip-settings.ts";

test("of settings of pip those that say where packages come from are kept once, and no secret", () => {
  const machines = "[global]\ntimeout = 20\nindex-url = https://pypi.example.com/simple\n";
  const own = [
    "[global]",
    "# mine",
    "timeout = 60",
    "extra-index-url =",
    "    https://ann:secret@private.example.com/simple",
    "    https://more.example.com/simple",
    "find-links = /opt/wheels",
    "cert = /home/ann/ca.pem",
    "[install]",
    "trusted-host: pypi.example.com",
    "index-url = file:///opt/pypi/simple",
    "target = /home/ann/elsewhere",
  ].join("\r\n");

  expect(joinPipSettings([machines, own])).toBe(
    "[global]\ntimeout = 60\nindex-url = https://pypi.example.com/simple\n" +
      "extra-index-url = https://more.example.com/simple\n" +
      "[install]\ntrusted-host = pypi.example.com\n",
  );
});

test("they are read where pip reads them, and nobody needs to have any", async () => {
  const home = await mkdtemp(path.join(tmpdir(), "ramet-pip-"));
  const machines = path.join(home, "machine.conf");
  try {
    expect(await readPipSettings(home, machines)).toBe("");
    await writeFile(machines, "[global]\nretries = 1\n");
    await mkdir(path.join(home, ".config", "pip"), { recursive: true });
    await writeFile(path.join(home, ".config", "pip", "pip.conf"), "[global]\nretries = 2\n");
    expect(await readPipSettings(home, machines)).toBe("[global]\nretries = 2\n");
  } finally {
    await rm(home, { recursive: true });
  }
});
