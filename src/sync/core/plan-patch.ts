/** Of a file: how long it is, and the hash of its bytes. */
export type Piece = readonly [size: number, hash: string];

/** Of a file that is to be made, and where its bytes are in the file that stands there; null: nowhere. */
export type Stretch = {
  readonly offset: number;
  readonly size: number;
  readonly from: number | null;
};

/** For each piece of the wanted file, one stretch. */
export function planPatch(wanted: readonly Piece[], present: readonly Piece[]): readonly Stretch[] {
  const found = new Map(place(present).map((piece) => [piece.hash, piece]));
  return place(wanted).map(({ offset, size, hash }) => {
    const same = found.get(hash);
    return { offset, size, from: same?.size === size ? same.offset : null };
  });
}

/** The same in as few stretches as can be. */
export function joinStretches(stretches: readonly Stretch[]): readonly Stretch[] {
  const joined: Stretch[] = [];
  for (const stretch of stretches) {
    const last = joined.at(-1);
    if (last === undefined || !goesOn(last, stretch)) joined.push(stretch);
    else joined[joined.length - 1] = { ...last, size: last.size + stretch.size };
  }
  return joined;
}

function place(
  pieces: readonly Piece[],
): readonly { readonly offset: number; readonly size: number; readonly hash: string }[] {
  let end = 0;
  return pieces.map(([size, hash]) => {
    end += size;
    return { offset: end - size, size, hash };
  });
}

function goesOn({ size, from }: Stretch, next: Stretch): boolean {
  return from === null ? next.from === null : next.from === from + size;
}
