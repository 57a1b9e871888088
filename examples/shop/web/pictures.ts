/** What each product's last word looks like: shapes in a square of 64, in two inks. */
const SHAPES: Record<string, string> = {
  Lamp: `<path class="light" d="M22 12h20l8 22H14z"/><path d="M30 34h4v16h-4zM22 50h20v4H22z"/>`,
  Mug: `<path d="M44 26h6a6 6 0 0 1 6 6v4a8 8 0 0 1-8 8h-4v-5h4a3 3 0 0 0 3-3v-3a2 2 0 0 0-2-2h-5z"/><path class="light" d="M14 20h30v24a8 8 0 0 1-8 8H22a8 8 0 0 1-8-8z"/>`,
  Chair: `<path class="light" d="M20 10h24v24H20z"/><path d="M16 34h32v6H16zM18 40h5v14h-5zM41 40h5v14h-5z"/>`,
  Blanket: `<path class="light" d="M12 16h40v28H12z"/><path d="M12 22h40v4H12zM12 32h40v4H12zM14 44h3v6h-3zM23 44h3v6h-3zM32 44h3v6h-3zM41 44h3v6h-3zM49 44h3v6h-3z"/>`,
  Clock: `<circle class="light" cx="32" cy="32" r="21"/><path d="M30 18h4v13l9 6-2 3.500-11-7z"/>`,
  Vase: `<path class="light" d="M25 22h14c-2 6 9 10 9 19 0 7-6 13-10 13H26c-4 0-10-6-10-13 0-9 11-13 9-19z"/><path d="M24 18h16v4H24zM31 8h2v10h-2zM33 12c2-4 6-5 9-4-1 4-5 6-9 6z"/>`,
  Basket: `<path d="M20 26a12 12 0 0 1 24 0h-4a8 8 0 0 0-16 0z"/><path class="light" d="M10 26h44l-5 26H15z"/><path d="M13 34h38l-.6 3H13.600zM14.500 43h35l-.6 3H15z"/>`,
  Kettle: `<path d="M20 22a12 12 0 0 1 24 0h-4a8 8 0 0 0-16 0zM48 30l8-6 2 3-8 12z"/><path class="light" d="M14 52c-2-16 6-30 18-30s20 14 18 30z"/>`,
  Notebook: `<path class="light" d="M16 10h30a4 4 0 0 1 4 4v36a4 4 0 0 1-4 4H16z"/><path d="M16 10h5v44h-5zM28 20h14v3H28zM28 28h14v3H28z"/>`,
  Planter: `<path d="M31 34V20c-8 0-12-5-12-11 8 0 12 4 13 9 1-7 6-10 13-10 0 7-4 12-12 12v14z"/><path class="light" d="M17 34h30l-4 20H21z"/>`,
};

const BOX = `<path class="light" d="M12 20h40v32H12z"/><path d="M28 20h8v32h-8z"/>`;

/** A picture of what a product is called, made of markup of our own alone. */
export function pictureOf(name: string): string {
  const shapes = SHAPES[name.split(" ").at(-1) ?? ""] ?? BOX;
  return `<svg viewBox="0 0 64 64" aria-hidden="true">${shapes}</svg>`;
}
