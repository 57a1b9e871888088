import { findVariableNameFault } from "../environment/variable-name.ts";
import { variableNameInvalid, variableReserved, variableValueInvalid } from "./problems.ts";

const MAX_VALUE_BYTES = 64 * 1024;

/** @throws `variable_name_invalid` or `variable_reserved` */
export function assertName(name: string): void {
  const fault = findVariableNameFault(name);
  if (fault === "invalid") throw variableNameInvalid(name);
  if (fault === "reserved") throw variableReserved(name);
}

/** What a process's environment can hold. @throws `variable_value_invalid` */
export function assertValue(name: string, value: string): void {
  if (value.includes("\0")) throw variableValueInvalid(name, "it has a NUL character");
  if (!value.isWellFormed()) throw variableValueInvalid(name, "it is not Unicode text");
  if (Buffer.byteLength(value) > MAX_VALUE_BYTES)
    throw variableValueInvalid(name, "it is larger than 64 KiB");
}
