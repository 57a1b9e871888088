/** What is wrong with a variable's name. */
export type VariableNameFault = "invalid" | "reserved";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MAX_LENGTH = 256;
/** Set for each environment anew; `__proto__` would not survive as a key of an object. */
const RESERVED = new Set(["PORT", "HOST", "URL", "DATABASE_URL", "__proto__"]);

/** Why a variable cannot be called this; undefined when it can. */
export function findVariableNameFault(name: string): VariableNameFault | undefined {
  if (name.length > MAX_LENGTH || !NAME.test(name)) return "invalid";
  return isReservedVariable(name) ? "reserved" : undefined;
}

/** Whether Ramet sets a variable itself. */
export function isReservedVariable(name: string): boolean {
  return RESERVED.has(name) || name.startsWith("RAMET_");
}
