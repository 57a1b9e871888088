/** Milliseconds that some work took, and what came of it. */
export type Timed<T> = { readonly ms: number; readonly value: T };

export async function time<T>(work: () => Promise<T>): Promise<Timed<T>> {
  const began = performance.now();
  const value = await work();
  return { ms: performance.now() - began, value };
}

/** NaN of no figures. */
export function median(figures: readonly number[]): number {
  return quantile(figures, 0.5);
}

/** The smallest figure that at least this share of all do not exceed. */
export function quantile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** `median (least–most)`. */
export function formatFigures(figures: readonly number[], digits = 0): string {
  if (figures.length === 0) return "—";
  const [middle, least, most] = [median(figures), Math.min(...figures), Math.max(...figures)].map(
    (figure) => figure.toFixed(digits),
  );
  return `${middle} (${least}–${most})`;
}

/** Of the medians; NaN where one side has no figures. */
export function ratioOf(figures: readonly number[], floor: readonly number[]): number {
  return median(figures) / median(floor);
}

export function formatRatio(ratio: number): string {
  return Number.isNaN(ratio) ? "—" : `${ratio.toFixed(2)} ×`;
}

/** Figures by name, in the order in which the names first came. */
export class Series {
  readonly #figures = new Map<string, number[]>();

  add(name: string, figure: number): void {
    const known = this.#figures.get(name);
    if (known === undefined) this.#figures.set(name, [figure]);
    else known.push(figure);
  }

  of(name: string): readonly number[] {
    return this.#figures.get(name) ?? [];
  }

  names(): readonly string[] {
    return [...this.#figures.keys()];
  }
}
