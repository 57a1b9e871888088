/** A wake under way: its database serves before its processes run. */
export type Waking = { readonly database: Promise<void>; readonly all: Promise<void> };

/** @param wake does all of it, and calls back as soon as the database serves */
export function beginWaking(wake: (onDatabase: () => void) => Promise<void>): Waking {
  const { promise: database, resolve } = Promise.withResolvers<void>();
  return { database, all: wake(resolve) };
}

/** Resolves when the database serves. @throws what the wake throws before that */
export async function untilDatabase({ database, all }: Waking): Promise<void> {
  await Promise.race([database, all]);
}
