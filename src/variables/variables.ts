/** An environment's variables and sealed secrets, in one file that only the server reads. */
import path from "node:path";

import { KeyedLock } from "../base/keyed-lock.ts";
import type { EnvironmentId } from "../environment/environment.ts";
import { variableUnknown } from "../environment/problems.ts";
import { isReservedVariable } from "../environment/variable-name.ts";
import { variableMissingInSource, variableReserved } from "./problems.ts";
import { assertName, assertValue } from "./rules.ts";
import { openSealer, openUnsealer } from "./seal.ts";
import { readStore, type Stored, type StoredByName, writeStore } from "./store-file.ts";

/** As it may be listed: the value of a secret, and that of a placeholder, is null. */
export type Variable = {
  readonly name: string;
  readonly secret: boolean;
  readonly value: string | null;
};

export type VariableStore = {
  readonly file: string;
  readonly id: EnvironmentId;
  /** The folder of the key pair that secrets are sealed with. */
  readonly keys: string;
};

export type ImportSource =
  | { readonly store: VariableStore }
  | { readonly values: Readonly<Record<string, string>> };

type Setting = { readonly name: string; readonly value: string | null; readonly secret: boolean };

const locks = new KeyedLock();

/** Sorted by name. @throws `variables_unreadable` */
export async function listVariables(store: VariableStore): Promise<readonly Variable[]> {
  return toList((await readStore(store.file)).values());
}

/**
 * Those that were set: all or none of them; null makes a placeholder. A name that is secret stays so until it is deleted.
 * @throws `variable_name_invalid`, `variable_reserved`, `variable_value_invalid`, `variables_too_large`
 */
export async function setVariables(
  store: VariableStore,
  variables: readonly { readonly name: string; readonly value: string | null }[],
  options: { readonly secret: boolean },
): Promise<readonly Variable[]> {
  const settings = variables.map(({ name, value }) => ({ name, value, secret: options.secret }));
  for (const setting of settings) assertSetting(setting);
  return locked(store, async (stored) => {
    const next = await applySettings(store, stored, settings);
    await writeStore(store.file, next);
    return listOf(next, settings);
  });
}

/** Which were deleted; `names` null deletes all. @throws `variable_unknown`, with nothing deleted */
export async function deleteVariables(
  store: VariableStore,
  names: readonly string[] | null,
  options: { readonly ignoreMissing: boolean },
): Promise<readonly string[]> {
  return locked(store, async (stored) => {
    const wanted = new Set(names ?? stored.keys());
    const unknown = [...wanted].filter((name) => !stored.has(name));
    if (unknown.length > 0 && !options.ignoreMissing)
      throw variableUnknown(unknown, [...stored.keys()]);
    const deleted = [...stored.keys()].filter((name) => wanted.has(name)).toSorted();
    if (deleted.length === 0) return deleted;
    await writeStore(store.file, new Map([...stored].filter(([name]) => !wanted.has(name))));
    return deleted;
  });
}

/**
 * `names` null: all that may be imported. Without values a name becomes a placeholder, unless it is set already.
 * `skipped`: another environment's secrets, and what Ramet sets itself.
 * @throws `variable_missing_in_source`, `variable_reserved`, ..., with nothing changed
 */
export async function importVariables(
  store: VariableStore,
  from: ImportSource,
  options: { readonly names: readonly string[] | null; readonly includeValues: boolean },
): Promise<{ readonly imported: readonly Variable[]; readonly skipped: readonly string[] }> {
  const source = await readSource(from);
  const { settings, skipped } = chooseSettings(source, options);
  for (const setting of settings) assertSetting(setting);
  return locked(store, async (stored) => {
    const news = settings.filter(({ name, value }) => value !== null || !isSet(stored.get(name)));
    const next = await applySettings(store, stored, news);
    if (news.length > 0) await writeStore(store.file, next);
    return { imported: listOf(next, news), skipped };
  });
}

/** What a process is given: values and opened secrets, no placeholders. @throws `secret_unreadable` */
export async function openVariables(
  store: VariableStore,
): Promise<Readonly<Record<string, string>>> {
  const stored = [...(await readStore(store.file)).values()];
  const hasSecrets = stored.some(({ kind }) => kind === "secret");
  const unseal = hasSecrets ? await openUnsealer(store.keys) : undefined;
  const opened = stored.flatMap((variable): [string, string][] => {
    if (variable.kind === "placeholder") return [];
    if (variable.kind === "value") return [[variable.name, variable.value]];
    if (unseal === undefined) throw new Error("A secret has its opener.");
    return [[variable.name, unseal({ id: store.id, name: variable.name }, variable.sealed)]];
  });
  return Object.fromEntries(opened);
}

async function locked<T>(
  store: VariableStore,
  work: (stored: StoredByName) => Promise<T>,
): Promise<T> {
  return locks.run(path.resolve(store.file), async () => work(await readStore(store.file)));
}

function assertSetting({ name, value }: Setting): void {
  assertName(name);
  if (value !== null) assertValue(name, value);
}

async function applySettings(
  store: VariableStore,
  stored: StoredByName,
  settings: readonly Setting[],
): Promise<StoredByName> {
  const decided = settings.map((setting) => ({
    ...setting,
    secret: setting.secret || isSecret(stored.get(setting.name)),
  }));
  const needsSealer = decided.some(({ value, secret }) => secret && value !== null);
  const seal = needsSealer ? await openSealer(store.keys) : undefined;
  const next = new Map(stored);
  for (const { name, value, secret } of decided) {
    if (value === null) next.set(name, { kind: "placeholder", name, secret });
    else if (!secret) next.set(name, { kind: "value", name, value });
    else if (seal !== undefined)
      next.set(name, { kind: "secret", name, sealed: seal({ id: store.id, name }, value) });
  }
  return next;
}

/** What a source offers: null is a placeholder of its own. */
type Offer = { readonly name: string; readonly value: string | null; readonly withheld: boolean };

async function readSource(from: ImportSource): Promise<readonly Offer[]> {
  if ("values" in from)
    return Object.entries(from.values).map(([name, value]) => ({ name, value, withheld: false }));
  const stored = [...(await readStore(from.store.file)).values()];
  return stored.map((variable) => ({
    name: variable.name,
    value: variable.kind === "value" ? variable.value : null,
    withheld: isSecret(variable),
  }));
}

function chooseSettings(
  source: readonly Offer[],
  options: { readonly names: readonly string[] | null; readonly includeValues: boolean },
): { settings: readonly Setting[]; skipped: readonly string[] } {
  const wanted = new Set(options.names ?? source.map(({ name }) => name));
  const missing = [...wanted].filter((name) => !source.some((offer) => offer.name === name));
  if (missing.length > 0) throw variableMissingInSource(missing);
  const reserved = options.names?.find(isReservedVariable);
  if (reserved !== undefined) throw variableReserved(reserved);
  const offers = source.filter(({ name }) => wanted.has(name));
  const isLeft = ({ name, withheld }: Offer): boolean => withheld || isReservedVariable(name);
  return {
    settings: offers
      .filter((offer) => !isLeft(offer))
      .map(({ name, value }) => ({
        name,
        value: options.includeValues ? value : null,
        secret: false,
      })),
    skipped: offers
      .filter(isLeft)
      .map(({ name }) => name)
      .toSorted(),
  };
}

function isSecret(variable: Stored | undefined): boolean {
  if (variable === undefined) return false;
  return variable.kind === "secret" || (variable.kind === "placeholder" && variable.secret);
}

function isSet(variable: Stored | undefined): boolean {
  return variable !== undefined && variable.kind !== "placeholder";
}

/** Of these only, as they stand now. */
function listOf(stored: StoredByName, changed: readonly Setting[]): readonly Variable[] {
  const names = new Set(changed.map(({ name }) => name));
  return toList(stored.values()).filter(({ name }) => names.has(name));
}

function toList(stored: Iterable<Stored>): readonly Variable[] {
  return [...stored].map(toVariable).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function toVariable(variable: Stored): Variable {
  const value = variable.kind === "value" ? variable.value : null;
  return { name: variable.name, secret: isSecret(variable), value };
}
