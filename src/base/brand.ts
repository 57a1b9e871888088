/** A string that has passed the check which its brand names; only a type guard makes one. */
export type Brand<Name extends string> = string & { readonly __brand: Name };
