/**
 * Keys and ids are ordered by their UTF-8 bytes everywhere. JavaScript compares UTF-16 units, whose order differs only
 * between characters beyond U+FFFF and those in U+E000–U+FFFF. SQLite's BINARY collation already is byte order.
 */
export function compareBytes(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return byteRank(x) < byteRank(y) ? -1 : 1;
  }
  return a.length < b.length ? -1 : 1;
}

/** Ranks surrogates above the rest of the basic plane, as UTF-8 does. */
function byteRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
