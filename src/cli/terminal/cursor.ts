const ESCAPE = String.fromCodePoint(27);

export const HIDE_CURSOR = `${ESCAPE}[?25l`;
export const SHOW_CURSOR = `${ESCAPE}[?25h`;

/** Goes up some lines and clears from there to the end of the screen. */
export function eraseLines(count: number): string {
  return count === 0 ? "" : `${ESCAPE}[${count}A${ESCAPE}[0J`;
}
