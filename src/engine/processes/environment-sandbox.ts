import { userInfo } from "node:os";

import { formatHost } from "../../environment/address.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import type { Manifest } from "../../environment/manifest.ts";
import type { SystemUser } from "../../environment/places.ts";
import { type Isolation, type Sandbox, planSandbox } from "../../runtime/runtime.ts";
import { findWorkspace } from "../../workspace/workspace.ts";
import type { EngineContext } from "../machine/context.ts";
import { readNpmSettings } from "./npm-settings.ts";
import { readPipSettings } from "./pip-settings.ts";

type Choice = {
  readonly isolation: Isolation;
  readonly manifest: Manifest;
  readonly user: SystemUser | null;
};

/** What the environment's processes see of this machine; null where they see all of it. */
export async function planEnvironmentSandbox(
  { layout, inherited }: EngineContext,
  record: EnvironmentRecord,
  { isolation, manifest, user }: Choice,
): Promise<Sandbox | null> {
  if (isolation.kind === "ports") return null;
  const { folder, shared, sockets } = layout.home;
  const { uid, gid, name, home } = user ?? describeOurselves();
  const settings = [
    { to: NPM_SETTINGS, text: await readNpmSettings(home, inherited) },
    { to: PIP_SETTINGS, text: await readPipSettings(home) },
  ];
  return planSandbox({
    tool: isolation.tool,
    program: isolation.program,
    hostname: `${record.app}--${record.name}`,
    tools: { searchPath: record.searchPath, home, hidden: [folder, shared, sockets] },
    tree: record.files.path,
    shown: [...(await listShown(record)), ...listCertificates(inherited)],
    home: layout.userHome(record.id),
    temporary: layout.temporary(record.id),
    user: { uid, gid, name },
    names: listNames(record, manifest),
    settings: settings.filter(({ text }) => text !== ""),
  });
}

function describeOurselves(): SystemUser {
  const { uid, gid, username, homedir } = userInfo();
  return { uid, gid, name: username, home: homedir };
}

/**
 * Its inherited variables as they hold inside: what names a place outside is left out, and the proxy, which may be on the
 * machine's own loopback and is met by whoever dials for those inside.
 */
export function inheritInside(
  inherited: Readonly<Record<string, string>>,
  { home, sandbox }: { readonly home: string; readonly sandbox: Sandbox },
): Readonly<Record<string, string>> {
  const kept = Object.entries(inherited).filter(
    ([name]) => !OUTSIDE_ONLY.has(name) && !isProxyVariable(name),
  );
  // In place of the person's own file; the machine's holds beside it, as it does outside.
  const hasSettings = sandbox.mounts.some(({ to }) => to === NPM_SETTINGS);
  const npm = hasSettings ? { npm_config_userconfig: NPM_SETTINGS } : {};
  return { ...Object.fromEntries(kept), HOME: home, ...npm };
}

/** `HTTPS_PROXY` and its like. */
export function isProxyVariable(name: string): boolean {
  return /^(https?|no)_proxy$/i.test(name);
}

/** Where npm and its like find what the person's own settings say of registries. */
const NPM_SETTINGS = "/etc/npmrc";
/** The same of pip's. */
const PIP_SETTINGS = "/etc/pip.conf";
const OUTSIDE_ONLY = new Set(["TMPDIR", "npm_config_cache", "npm_config_userconfig"]);
const CERTIFICATES = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"];

function listCertificates(inherited: Readonly<Record<string, string>>): readonly string[] {
  return CERTIFICATES.flatMap((name) => inherited[name] ?? []);
}

/**
 * Of a linked folder's surroundings: what git reads, and the workspace's own root above an app in a subfolder. What git
 * runs, and what tells to whom the folder belongs, must not be written to by those whom the folder's owner trusts less.
 */
async function listShown({ files }: EnvironmentRecord): Promise<readonly string[]> {
  if (files.kind === "kept") return [];
  const { root, git } = await findWorkspace(files.path);
  const above = root === files.path ? [] : [root];
  return [...above, `${root}/.git`, `${root}/.ramet`, ...(git === null ? [] : [git.common])];
}

function listNames(record: EnvironmentRecord, manifest: Manifest): readonly string[] {
  const { app, name: environment } = record;
  return [null, ...Object.keys(manifest.processes)].map((process) =>
    formatHost({ app, environment, process }),
  );
}
