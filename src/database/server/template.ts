import { chmod, chown, mkdir, readFile, readdir, rm } from "node:fs/promises";
import path from "node:path";

import type { Clock } from "../../base/clock.ts";
import { exists } from "../../base/remove-inside.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import { runProgram } from "../../process/process.ts";
import type { ProcessUser } from "../../process/process.ts";
import { databaseFailed } from "../place/problems.ts";
import type { Programs } from "../place/programs.ts";
import { createPasswords } from "../place/roles.ts";
import { ADMIN_ROLE, APP_ROLE } from "../place/settings.ts";
import { quoteName } from "../place/sql.ts";
import { buildAtomically, sweepTemporaries } from "./install.ts";

/** In every template, owned by the app's role, to be renamed; no app can have this name. */
export const TEMPLATE_DATABASE = "ramet_app";

/** Counts up when the recipe below changes. */
const REVISION = 2;
const DATA = "data";
const PASSWORD = "password";
const LIMIT_MS = 120_000;
/** Of what a program that failed printed. */
const MAX_LINES = 5;
/** Who may run `initdb` as root, which looks its user up; its files change hands when they are copied. */
const ORDINARY_USERS = ["nobody", "daemon", "_postgres", "postgres", "bin"];

/** Makes the data folder that every new database is a copy of, once. Resolves with its path. */
export async function prepareTemplate(
  programs: Programs,
  options: { readonly folder: string; readonly uid: number | null; readonly clock: Clock },
): Promise<string> {
  const name = [programs.version, programs.build, REVISION].filter((part) => part !== "").join("-");
  const template = path.join(options.folder, name);
  if (!(await exists(template))) {
    const user = process.getuid?.() === 0 ? await requireOrdinaryUser(options.uid) : null;
    await mkdir(options.folder, { recursive: true, mode: user === null ? 0o700 : 0o711 });
    await sweepTemporaries(options.folder, options.clock);
    await buildAtomically(template, async (temporary) => build(programs, temporary, user));
  }
  return path.join(template, DATA);
}

/** The password of the superuser in a copy that has none of its own yet. */
export async function readTemplatePassword(template: string): Promise<string> {
  return readFile(path.join(path.dirname(template), PASSWORD), "utf8");
}

async function build(programs: Programs, folder: string, user: ProcessUser | null): Promise<void> {
  const data = path.join(folder, DATA);
  const password = path.join(folder, PASSWORD);
  await writeAtomically(password, createPasswords().adminPassword);
  await mkdir(data, { mode: 0o700 });
  if (user !== null) {
    await chown(password, user.uid, user.gid);
    await chown(data, user.uid, user.gid);
  }
  const run = createRunner(programs, data, user);
  await run("initdb", formatInitArguments({ data, password, major: programs.major }), "");
  await run("postgres", ["--single", "-D", data, "template1"], formatFirstSql(programs.major));
  await dropMaps(data);
  // From here on the files of that user are out of its reach.
  await chmod(folder, 0o700);
}

type Run = (program: string, args: readonly string[], input: string) => Promise<void>;

function createRunner(programs: Programs, data: string, user: ProcessUser | null): Run {
  return async (program, args, input) => {
    const { exitCode, stderr } = await runProgram(
      {
        file: path.join(programs.bin, program),
        args,
        folder: data,
        environment: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
        user,
      },
      { timeoutMs: LIMIT_MS, input },
    );
    const { errors, others } = sortLines(stderr);
    if (exitCode === 0 && errors.length === 0) return;
    const lines = errors.length > 0 ? errors.slice(0, MAX_LINES) : others.slice(-MAX_LINES);
    throw databaseFailed(`prepare (${program})`, lines);
  };
}

/** In single-user mode an error does not show in the exit code; and not all that ends `initdb` calls itself an error. */
export function sortLines(stderr: string): { errors: string[]; others: string[] } {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const errors = lines.filter((line) => /\b(ERROR|FATAL|PANIC|error):/.test(line));
  return { errors, others: lines.filter((line) => !errors.includes(line)) };
}

type Init = { readonly data: string; readonly password: string; readonly major: number };

/** Small segments make small copies; sorting by code point is the same on every machine and never changes. */
function formatInitArguments({ data, password, major }: Init): readonly string[] {
  const ctype = process.platform === "darwin" ? "en_US.UTF-8" : "C.UTF-8";
  return [
    `--pgdata=${data}`,
    `--username=${ADMIN_ROLE}`,
    `--pwfile=${password}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    `--lc-ctype=${ctype}`,
    ...(major >= 17 ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] : []),
    "--data-checksums",
    "--wal-segsize=1",
    "--no-instructions",
  ];
}

/**
 * For single-user mode in `template1`: a line is a statement. Fixtures and masks switch triggers off by that parameter.
 * Before version 15 everyone may make things in the schema `public`, and its database's owner does not own it.
 */
function formatFirstSql(major: number): string {
  const app = quoteName(APP_ROLE);
  const isOpen = major < 15;
  return [
    `CREATE ROLE ${app} LOGIN CREATEDB;`,
    ...(isOpen ? CLOSE_PUBLIC : []),
    `CREATE DATABASE ${quoteName(TEMPLATE_DATABASE)} OWNER ${app};`,
    ...(isOpen ? RECREATE_POSTGRES : []),
    ...(isOpen ? [] : [`GRANT SET ON PARAMETER session_replication_role TO ${app};`]),
    "",
  ].join("\n");
}

const CLOSE_PUBLIC = [
  "ALTER SCHEMA public OWNER TO pg_database_owner;",
  "REVOKE CREATE ON SCHEMA public FROM PUBLIC;",
];
const RECREATE_POSTGRES = ["DROP DATABASE postgres;", "CREATE DATABASE postgres;"];

/**
 * Free-space and visibility maps of fresh catalogs: nearly half of all files, worth nothing yet, and rebuilt by
 * VACUUM where they are missing.
 */
async function dropMaps(data: string): Promise<void> {
  for (const folder of ["base", "global"]) {
    for (const name of await readdir(path.join(data, folder), { recursive: true })) {
      if (/(^|\/)\d+_(fsm|vm)$/.test(name)) await rm(path.join(data, folder, name));
    }
  }
}

async function requireOrdinaryUser(wanted: number | null): Promise<ProcessUser> {
  const users = parseUsers(await readFile("/etc/passwd", "utf8"));
  const ordinary = ORDINARY_USERS.map((name) => users.find((user) => user.name === name));
  const found = [users.find((user) => user.uid === wanted), ...ordinary, ...users].find(
    (user) => user !== undefined && user.uid > 0,
  );
  if (found === undefined) throw databaseFailed("prepare", ["/etc/passwd names nobody but root"]);
  return { uid: found.uid, gid: found.gid };
}

type User = ProcessUser & { readonly name: string };

/** Lines of `name:password:uid:gid:...`. */
export function parseUsers(passwd: string): readonly User[] {
  return passwd.split("\n").flatMap((line) => {
    const [name = "", , uid = "", gid = ""] = line.split(":");
    return /^\d+$/.test(uid) && /^\d+$/.test(gid)
      ? [{ name, uid: Number(uid), gid: Number(gid) }]
      : [];
  });
}
