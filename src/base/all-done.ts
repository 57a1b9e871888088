/** As `Promise.all`; but a failure is thrown only when nothing is under way any more. */
export async function allDone<T extends readonly unknown[] | []>(
  works: T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  await Promise.allSettled(works);
  return Promise.all(works);
}
