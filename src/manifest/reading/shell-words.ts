/** A word of a shell's line, quoted or not, or what stands between two commands. */
const TOKEN = /(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|\d*>&\d|[^\s;|&"'\\])+|&&|\|\||[;|&]/g;
const PIECE = /"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^"'\\]+/g;
const SEPARATORS = new Set(["&&", "||", ";", "|", "&"]);

/** The words of the last of a line's commands, without their quotes. */
export function lastCommand(line: string): readonly string[] {
  const tokens = [...line.matchAll(TOKEN)].map(([token]) => token);
  const end = tokens.findLastIndex((token) => SEPARATORS.has(token));
  return tokens.slice(end + 1).map(unquote);
}

function unquote(word: string): string {
  const pieces = word.match(PIECE) ?? [];
  return pieces.map(unquotePiece).join("");
}

function unquotePiece(piece: string): string {
  if (piece.startsWith("'")) return piece.slice(1, -1);
  if (piece.startsWith('"')) return piece.slice(1, -1).replaceAll(/\\(["\\$`])/g, "$1");
  return piece.startsWith("\\") ? piece.slice(1) : piece;
}
