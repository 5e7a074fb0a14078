/**
 * JSON as .NET reads its settings files: comments, trailing commas and a byte order mark are tolerated. They are replaced by
 * blanks instead of removed, so that a position in an error is a position in the file.
 */
export type JsoncResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly line: number; readonly column: number; readonly problem: string };

export function parseJsonc(source: string): JsoncResult {
  const text = blank(source.replace(/^\uFEFF/, ' '));
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, ...placeOf(error as SyntaxError, text) };
  }
}

/** A string, a comment, or a trailing comma: one followed only by blanks, comments and a closing bracket. */
const TOKEN = /"(?:\\.|[^"\\])*"|\/\/[^\n\r]*|\/\*[\s\S]*?\*\/|,(?=(?:\s|\/\/[^\n\r]*|\/\*[\s\S]*?\*\/)*[}\]])/g;

function blank(text: string): string {
  return text.replace(TOKEN, (token) => (token.startsWith('"') ? token : token.replace(/[^\n\r]/g, ' ')));
}

/** V8 gives the place only in the message: "at position 12", or not at all if the text ended too early. */
function placeOf(error: SyntaxError, text: string): { line: number; column: number; problem: string } {
  const position = /at position (\d+)/.exec(error.message)?.[1];
  const before = text.slice(0, position === undefined ? text.length : Number(position));
  const line = before.split('\n').length;
  const problem = error.message.replace(/ (in JSON )?at position.*$/s, '').replace(/, ?"?\.\.\..*$/s, '');
  return { line, column: before.length - before.lastIndexOf('\n'), problem };
}
