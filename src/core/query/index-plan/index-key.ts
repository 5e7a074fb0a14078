import type { JsonValue } from '../json.ts';

/**
 * Index keys: bytes whose order is the sort order, field after field. Each value begins with a byte for its type. Numbers
 * follow as IEEE 754 with bits flipped so that byte order is numeric order. Texts follow as UTF-8 with 00 written as 00 FF,
 * ended by 00 01, so that a text sorts before all its continuations. Arrays and objects all have the same key.
 */
export const SIGN = {
  /** In an index of items: the field is a text, not an array. */
  noArray: 0x08,
  missing: 0x10,
  null: 0x20,
  false: 0x30,
  true: 0x31,
  number: 0x40,
  text: 0x50,
  rest: 0x60,
} as const;

const TEXT_END = Buffer.from([0x00, 0x01]);
const ESCAPED_NUL = '\u0000';

/** The key of several fields of a document, in their order. */
export function indexKey(values: readonly (JsonValue | undefined)[]): Buffer {
  return values.length === 1 ? valueKey(values[0]) : Buffer.concat(values.map(valueKey));
}

export function valueKey(value: JsonValue | undefined): Buffer {
  switch (typeof value) {
    case 'undefined':
      return Buffer.of(SIGN.missing);
    case 'boolean':
      return Buffer.of(value ? SIGN.true : SIGN.false);
    case 'number':
      return numberKey(value);
    case 'string':
      return Buffer.concat([textStart(value), TEXT_END]);
    default:
      return Buffer.of(value === null ? SIGN.null : SIGN.rest);
  }
}

/** The bytes with which the keys of all texts begin that begin with this one. */
export function textStart(text: string): Buffer {
  if (!text.includes(ESCAPED_NUL)) {
    const length = Buffer.byteLength(text);
    const key = Buffer.allocUnsafe(length + 1);
    key[0] = SIGN.text;
    key.write(text, 1);
    return key;
  }
  const parts = text
    .split(ESCAPED_NUL)
    .flatMap((part, i) => [...(i === 0 ? [] : [Buffer.of(0x00, 0xff)]), Buffer.from(part)]);
  return Buffer.concat([Buffer.of(SIGN.text), ...parts]);
}

/** The lowest bytes above everything that begins with `start`; undefined if there are none. */
export function endOf(start: Uint8Array): Buffer | undefined {
  const end = Buffer.from(start);
  for (let i = end.length - 1; i >= 0; i--) {
    if (end[i] === 0xff) continue;
    end[i]!++;
    return end.subarray(0, i + 1);
  }
  return undefined;
}

function numberKey(value: number): Buffer {
  const key = Buffer.allocUnsafe(9);
  key[0] = SIGN.number;
  // Adding 0 turns −0 into 0, so that equal numbers have equal bytes.
  key.writeDoubleBE(value + 0, 1);
  if (key[1]! < 0x80) {
    key[1]! |= 0x80;
    return key;
  }
  for (let i = 1; i < 9; i++) key[i] = 0xff - key[i]!;
  return key;
}

/** A readable form of a key, such as `"Rome", 18`. A number that is cut off at the end is left out. */
export function keyText(key: Uint8Array): string {
  const parts: string[] = [];
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const sign = bytes[at++]!;
    if (sign === SIGN.number) {
      if (at + 8 > bytes.length) break;
      parts.push(String(numberOf(bytes.subarray(at, at + 8))));
      at += 8;
    } else if (sign === SIGN.text) {
      const end = bytes.indexOf(0, at);
      parts.push(`${JSON.stringify(bytes.toString('utf8', at, end < 0 ? bytes.length : end))}${end < 0 ? '…' : ''}`);
      at = end < 0 ? bytes.length : end + 2;
    } else parts.push(SIGN_TEXTS[sign] ?? '…');
  }
  return parts.join(', ');
}

const SIGN_TEXTS: Readonly<Record<number, string>> = {
  [SIGN.noArray]: '(a text)',
  [SIGN.missing]: '(missing)',
  [SIGN.null]: 'null',
  [SIGN.false]: 'false',
  [SIGN.true]: 'true',
  [SIGN.rest]: '(array or object)',
  [SIGN.missing + 1]: '(anything)',
  [SIGN.null + 1]: '(end of null)',
  [SIGN.true + 1]: '(end of booleans)',
  [SIGN.number + 1]: '(end of numbers)',
  [SIGN.text + 1]: '(end of texts)',
};

function numberOf(keyBytes: Buffer): number {
  const bits = Buffer.from(keyBytes);
  if (bits[0]! >= 0x80) bits[0]! &= 0x7f;
  else for (let i = 0; i < 8; i++) bits[i] = 0xff - bits[i]!;
  return bits.readDoubleBE(0);
}
