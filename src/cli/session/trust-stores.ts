import { access, mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";

import { Problem } from "../../base/problem.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import { runProgram } from "../../process/process.ts";
import type { ProgramResult } from "../../process/process.ts";
import type { Authority } from "../../protocol/schemas.ts";

/** Where programs look for whom to trust, and what has become of it there. */
export type TrustStore = {
  readonly store: "chromium" | "firefox" | "system" | "keychain";
  readonly place: string;
  /** `unchanged`: it cannot be done here, and `why` says what would help. */
  readonly state: "trusted" | "removed" | "unchanged";
  readonly why: string | null;
};

export type TrustWork = {
  readonly authority: Authority;
  readonly isUndone: boolean;
  readonly isRoot: boolean;
  readonly userHome: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

const LIMIT_MS = 60_000;
const CERTUTIL_HELP =
  "certutil is not installed: it comes with libnss3-tools (Debian, Ubuntu), nss-tools (Fedora) or nss (Homebrew)";

/** Where distributions look, and how they are told. */
const SYSTEM_STORES = [
  { folder: "/usr/local/share/ca-certificates", update: ["update-ca-certificates"] },
  { folder: "/etc/pki/ca-trust/source/anchors", update: ["update-ca-trust"] },
  { folder: "/etc/ca-certificates/trust-source/anchors", update: ["trust", "extract-compat"] },
] as const;

/** Makes each store of this machine trust the authority, or no longer. */
export async function changeTrust(work: TrustWork): Promise<readonly TrustStore[]> {
  if (process.platform === "darwin")
    return [await changeKeychain(work), ...(await changeFirefox(work))];
  return [await changeChromium(work), ...(await changeFirefox(work)), await changeSystem(work)];
}

/** Chromium, Chrome and their kin on Linux read the user's own NSS database. */
async function changeChromium(work: TrustWork): Promise<TrustStore> {
  const place = path.join(work.userHome, ".pki", "nssdb");
  if (!(await isThere(path.join(place, "cert9.db")))) {
    if (work.isUndone) return { store: "chromium", place, state: "removed", why: null };
    if ((await certutil(work, ["--help"])) === undefined)
      return { store: "chromium", place, state: "unchanged", why: CERTUTIL_HELP };
    await mkdir(place, { recursive: true, mode: 0o700 });
    await certutil(work, ["-N", "-d", `sql:${place}`, "--empty-password"]);
  }
  return changeNss(work, { store: "chromium", place });
}

async function changeFirefox(work: TrustWork): Promise<readonly TrustStore[]> {
  const roots =
    process.platform === "darwin"
      ? ["Library/Application Support/Firefox/Profiles"]
      : [".mozilla/firefox", "snap/firefox/common/.mozilla/firefox"];
  const profiles = await Promise.all(
    roots.map(async (root) => listProfiles(path.join(work.userHome, root))),
  );
  return Promise.all(
    profiles.flat().map(async (place) => changeNss(work, { store: "firefox", place })),
  );
}

async function listProfiles(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  // Where that browser was never started there is no such folder.
  const names = await readdir(root).catch(() => []);
  for (const name of names) {
    const profile = path.join(root, name);
    if (await isThere(path.join(profile, "cert9.db"))) found.push(profile);
  }
  return found;
}

async function changeNss(
  work: TrustWork,
  where: Pick<TrustStore, "store" | "place">,
): Promise<TrustStore> {
  const { authority, isUndone } = work;
  const database = ["-d", `sql:${where.place}`, "-n", authority.name];
  // One of an earlier time by the same name would be kept beside it.
  await certutil(work, ["-D", ...database]);
  if (isUndone) return { ...where, state: "removed", why: null };
  const added = await certutil(work, ["-A", ...database, "-t", "C,,", "-i", authority.file]);
  if (added === undefined) return { ...where, state: "unchanged", why: CERTUTIL_HELP };
  if (added.exitCode !== 0) return { ...where, state: "unchanged", why: added.stderr.trim() };
  return { ...where, state: "trusted", why: null };
}

/** What OpenSSL, curl, Python and Go look into. */
async function changeSystem(work: TrustWork): Promise<TrustStore> {
  const { authority, isUndone, isRoot } = work;
  const found = await findSystemStore();
  if (found === undefined) {
    const why = "its place is not known on this system";
    return { store: "system", place: authority.file, state: "unchanged", why };
  }
  const { folder, update } = found;
  const mark = authority.fingerprint.replaceAll(":", "").slice(0, 12).toLowerCase();
  const where = { store: "system", place: path.join(folder, `ramet-${mark}.crt`) } as const;
  if (!isRoot) {
    const change = isUndone ? `rm -f ${where.place}` : `cp ${authority.file} ${where.place}`;
    const why = `it is root's: sudo sh -c '${change} && ${update.join(" ")}'`;
    return { ...where, state: "unchanged", why };
  }
  if (isUndone) await rm(where.place, { force: true });
  else await writeAtomically(where.place, authority.certificate, { mode: 0o644 });
  const [file, ...args] = update;
  const told = await runTool(work, file, args);
  if (told?.exitCode !== 0)
    return { ...where, state: "unchanged", why: `${file} failed: ${told?.stderr.trim() ?? ""}` };
  return { ...where, state: isUndone ? "removed" : "trusted", why: null };
}

async function findSystemStore(): Promise<(typeof SYSTEM_STORES)[number] | undefined> {
  for (const store of SYSTEM_STORES) if (await isThere(store.folder)) return store;
  return undefined;
}

/** The user's login keychain; macOS asks the user for it. */
async function changeKeychain(work: TrustWork): Promise<TrustStore> {
  const { authority, isUndone, userHome } = work;
  const place = path.join(userHome, "Library", "Keychains", "login.keychain-db");
  const args = isUndone
    ? ["remove-trusted-cert", authority.file]
    : ["add-trusted-cert", "-r", "trustRoot", "-k", place, authority.file];
  const told = await runTool(work, "security", args);
  if (told?.exitCode !== 0)
    return { store: "keychain", place, state: "unchanged", why: told?.stderr.trim() ?? null };
  return { store: "keychain", place, state: isUndone ? "removed" : "trusted", why: null };
}

/** undefined: it is not installed. */
async function certutil(
  work: TrustWork,
  args: readonly string[],
): Promise<ProgramResult | undefined> {
  return runTool(work, "certutil", args);
}

async function runTool(
  { userHome, environment }: TrustWork,
  file: string,
  args: readonly string[],
): Promise<ProgramResult | undefined> {
  const searched = `${environment["PATH"] ?? ""}:/usr/sbin:/sbin:/usr/bin:/bin`;
  const launch = {
    file,
    args,
    folder: "/",
    environment: { PATH: searched, HOME: userHome, LC_ALL: "C" },
    user: null,
  };
  try {
    return await runProgram(launch, { timeoutMs: LIMIT_MS });
  } catch (error) {
    if (error instanceof Problem && error.code === "program_missing") return undefined;
    throw error;
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    // Not there, or not ours to see.
    return false;
  }
}
