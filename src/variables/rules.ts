import { variableNameInvalid, variableReserved, variableValueInvalid } from "./problems.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MAX_NAME = 256;
const MAX_VALUE_BYTES = 64 * 1024;
/** `__proto__` would not survive as a key of an object. */
const RESERVED = new Set(["PORT", "HOST", "URL", "DATABASE_URL", "__proto__"]);

export function isReserved(name: string): boolean {
  return RESERVED.has(name) || name.startsWith("RAMET_");
}

/** @throws `variable_name_invalid` or `variable_reserved` */
export function assertName(name: string): void {
  if (name.length > MAX_NAME || !NAME.test(name)) throw variableNameInvalid(name);
  if (isReserved(name)) throw variableReserved(name);
}

/** What a process's environment can hold. @throws `variable_value_invalid` */
export function assertValue(name: string, value: string): void {
  if (value.includes("\0")) throw variableValueInvalid(name, "it has a NUL character");
  if (!value.isWellFormed()) throw variableValueInvalid(name, "it is not Unicode text");
  if (Buffer.byteLength(value) > MAX_VALUE_BYTES)
    throw variableValueInvalid(name, "it is larger than 64 KiB");
}
