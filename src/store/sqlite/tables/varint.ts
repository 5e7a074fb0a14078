/** Encodes unsigned integers below 2^53 one after another, seven bits per byte, least significant first (LEB128). */
export function encodeVarints(numbers: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (let n of numbers) {
    while (n >= 0x80) {
      bytes.push((n % 0x80) + 0x80);
      n = Math.floor(n / 0x80);
    }
    bytes.push(n);
  }
  return Uint8Array.from(bytes);
}

/** Throws a RangeError for bytes that end within a number, or encode one beyond 2^53 − 1. */
export function decodeVarints(bytes: Uint8Array): number[] {
  const numbers: number[] = [];
  let n = 0;
  let factor = 1;
  for (const byte of bytes) {
    n += (byte & 0x7f) * factor;
    if (n > Number.MAX_SAFE_INTEGER) throw new RangeError('the integer is too large');
    if (byte < 0x80) {
      numbers.push(n);
      n = 0;
      factor = 1;
    } else factor *= 0x80;
  }
  if (factor !== 1) throw new RangeError('the last integer is cut off');
  return numbers;
}
