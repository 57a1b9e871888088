const MOST = 16;

/** Works on a few items side by side. A failure is thrown when all that were begun have ended. */
export async function inBatches<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += MOST) {
    const ends = await Promise.allSettled(items.slice(start, start + MOST).map(work));
    const failure = ends.find((end) => end.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  }
}
