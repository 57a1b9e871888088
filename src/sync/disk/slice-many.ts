/** What one thread is given at a time: on a busy machine it is asked and answers in the time of many files. */
const SLICE = 256;

/** Slices for threads; none where there are fewer than are worth it. */
export function sliceMany<T>(
  items: readonly T[],
  few: number,
  size = SLICE,
): readonly (readonly T[])[] {
  if (items.length < few) return [];
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
