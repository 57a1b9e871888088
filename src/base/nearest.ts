/** The candidate that was probably meant, or `undefined` when none is near. */
export function findNearest(word: string, candidates: Iterable<string>): string | undefined {
  const most = Math.min(3, Math.max(1, Math.floor(word.length / 3)));
  const near = [...candidates]
    .map((candidate) => ({ candidate, distance: countEdits(word.slice(0, 64), candidate) }))
    .filter(
      ({ candidate, distance }) =>
        distance <= most || (word.length > 2 && candidate.startsWith(word)),
    )
    .toSorted((a, b) => a.distance - b.distance);
  return near[0]?.candidate;
}

/** Letters inserted, left out, replaced, or swapped with their neighbour. */
function countEdits(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const cost = from[i - 1] === to[j - 1] ? 0 : 1;
      const isSwapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      row.push(
        Math.min(
          at(last, j) + 1,
          at(row, j - 1) + 1,
          at(last, j - 1) + cost,
          isSwapped ? at(before, j - 2) + 1 : Infinity,
        ),
      );
    }
    before = last;
    last = row;
  }
  return at(last, to.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
