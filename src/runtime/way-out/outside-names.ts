/** The first address of the range that stands for names of the world outside. */
const FIRST = (198 << 24) | (18 << 16);
/** Never given away: programs take the first and the last of a range for something else. */
const SKIPPED = 16;
/** More names than a program asks for in its life; one that asks for more loses those that it has not asked for longest. */
const MAX_NAMES = 256;

/** Which address stands for which name. The same name has the same address for as long as it is asked for. */
export class OutsideNames {
  readonly #addresses = new Map<string, string>();
  #next = SKIPPED;

  /** `forgotten`: an address that stands for nothing any more. */
  require(name: string): {
    readonly address: string;
    readonly isNew: boolean;
    readonly forgotten: string | undefined;
  } {
    const known = this.#addresses.get(name);
    const address = known ?? formatAddress(this.#next);
    if (known === undefined) this.#next += 1;
    // Behind the others: those in front were not asked for longest.
    this.#addresses.delete(name);
    this.#addresses.set(name, address);
    return { address, isNew: known === undefined, forgotten: this.#forgetOne() };
  }

  #forgetOne(): string | undefined {
    const [oldest] = this.#addresses;
    if (oldest === undefined || this.#addresses.size <= MAX_NAMES) return undefined;
    this.#addresses.delete(oldest[0]);
    return oldest[1];
  }
}

function formatAddress(index: number): string {
  // The range holds 131,072 addresses; an environment that used them all begins anew.
  const number = FIRST + (index % 131_000);
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join(".");
}
