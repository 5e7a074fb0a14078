/** V8 keeps Latin-1 text with one byte a character and any other with two. This is an upper bound: it only detects ASCII. */
export function textBytes(text: string): number {
  return Buffer.byteLength(text) === text.length ? text.length : 2 * text.length;
}
