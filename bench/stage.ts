import { cp, mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { z } from "zod";

import { run } from "./measure.ts";

const ROOT = path.join(import.meta.dirname, "..");
const PACKAGES = ["pg", "pg-connection-string", "pg-pool", "pg-protocol", "pg-types", "pgpass"];
const PACKAGES_BELOW = [
  "pg-int8",
  "postgres-array",
  "postgres-bytea",
  "postgres-date",
  "postgres-interval",
  "split2",
  "xtend",
];

export const environmentSchema = z.object({
  id: z.string(),
  url: z.string(),
  databaseUrl: z.string(),
  processes: z.array(z.object({ name: z.string(), port: z.number().nullable() })),
});
export type Environment = z.infer<typeof environmentSchema>;

/** A server's home and a small app, both in one temporary folder. */
export type Stage = {
  readonly folder: string;
  readonly home: string;
  readonly app: string;
  ramet(...args: readonly string[]): Promise<unknown>;
  close(): Promise<void>;
};

/** `place`: a folder on the file system that is to be measured. */
export async function openStage(place = tmpdir()): Promise<Stage> {
  const folder = await realpath(await mkdtemp(path.join(place, "ramet-bench-")));
  const [home, app] = [path.join(folder, "home"), path.join(folder, "app")];
  await copyApp(app);
  const ramet = async (...args: readonly string[]): Promise<unknown> => {
    const argv = [path.join(ROOT, "src", "main.ts"), ...args, "--json"];
    const env = { ...process.env, RAMET_HOME: home };
    return JSON.parse(await run(process.execPath, argv, { cwd: app, env }));
  };
  return {
    folder,
    home,
    app,
    ramet,
    close: async () => {
      await ramet("server", "stop");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function copyApp(app: string): Promise<void> {
  await cp(path.join(ROOT, "test", "apps", "notes"), app, { recursive: true });
  await mkdir(path.join(app, "node_modules"));
  for (const name of [...PACKAGES, ...PACKAGES_BELOW]) {
    const source = path.join(ROOT, "node_modules", name);
    await cp(source, path.join(app, "node_modules", name), { recursive: true });
  }
  await run("git", ["init", "-q", "-b", "main"], { cwd: app });
  await run("git", ["add", "-A"], { cwd: app });
  const identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com"];
  await run("git", [...identity, "commit", "-qm", "The app"], { cwd: app });
}
