import { BACKSLASH, CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './json-signs.ts';

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_E = 0x65;
/** The bit that distinguishes lower case from upper case. */
const CASE_BIT = 0x20;
const SPACE = 0x20;
/** Not plain: the full check must decide whether it is valid. */
const UNSURE = -1;
/** Integers with up to this many digits are exact. */
const DIGITS_MAX = 15;
/** Objects with more names are left to the full check, which puts names into a set. */
const NAMES_MAX = 32;
/** Most UTF-8 bytes that one UTF-16 code unit needs. */
const BYTES_PER_UNIT_MAX = 3;
/** Marks the end of the bytes; no plain text contains it. */
const END = 0;

/** Short texts are checked in this buffer, each overwriting the one before. */
const scratch = Buffer.alloc(64 * 1024);
/** Start and end of each name of the enclosing objects. Shared by all checks, which run one at a time. */
const names: number[] = [];

/**
 * True for a text that is certainly a document of at most `depthMax` levels (see `checkDocumentText`), spelled as
 * `JSON.stringify` spells most: without white space and without escapes. False says nothing. Three times as fast as the
 * full check, because functions pass positions and allocate nothing. The text must contain no half surrogate pairs.
 *
 * The text is checked as UTF-8: a byte is a single load, whereas reading a character depends on how V8 stores the string.
 * That took so much code at each place that compiling it took longer than checking 50,000 documents.
 */
export function isPlainDocument(text: string, depthMax: number): boolean {
  const isShort = text.length * BYTES_PER_UNIT_MAX < scratch.length;
  const bytes = isShort ? scratch : Buffer.alloc(Buffer.byteLength(text) + 1);
  const end = bytes.write(text, 'utf8');
  bytes[end] = END;
  return bytes[0] === OPEN_BRACE && objectEnd(bytes, 0, depthMax, 0) === end;
}

function valueEnd(bytes: Buffer, at: number, depthLeft: number, namesFrom: number): number {
  const byte = bytes[at]!;
  if (byte === QUOTE) return stringEnd(bytes, at);
  if (byte === OPEN_BRACE) return objectEnd(bytes, at, depthLeft, namesFrom);
  if (byte === OPEN_BRACKET) return arrayEnd(bytes, at, depthLeft, namesFrom);
  if (byte === 0x74) return wordEnd(bytes, at, 'true');
  if (byte === 0x66) return wordEnd(bytes, at, 'false');
  if (byte === 0x6e) return wordEnd(bytes, at, 'null');
  return numberEnd(bytes, at);
}

/** The names of this object are kept in `names` from `namesFrom` on, followed by those of objects inside it. */
function objectEnd(bytes: Buffer, at: number, depthLeft: number, namesFrom: number): number {
  if (depthLeft < 1) return UNSURE;
  let next = at + 1;
  if (bytes[next] === CLOSE_BRACE) return next + 1;
  let namesEnd = namesFrom;
  for (;;) {
    if (bytes[next] !== QUOTE) return UNSURE;
    const end = stringEnd(bytes, next);
    if (end === UNSURE || namesEnd - namesFrom === 2 * NAMES_MAX) return UNSURE;
    if (isHeld(bytes, namesFrom, namesEnd, next, end)) return UNSURE;
    names[namesEnd++] = next;
    names[namesEnd++] = end;
    if (bytes[end] !== COLON) return UNSURE;
    next = valueEnd(bytes, end + 1, depthLeft - 1, namesEnd);
    if (next === UNSURE) return UNSURE;
    const byte = bytes[next++];
    if (byte === CLOSE_BRACE) return next;
    if (byte !== COMMA) return UNSURE;
  }
}

function arrayEnd(bytes: Buffer, at: number, depthLeft: number, namesFrom: number): number {
  if (depthLeft < 1) return UNSURE;
  let next = at + 1;
  if (bytes[next] === CLOSE_BRACKET) return next + 1;
  for (;;) {
    next = valueEnd(bytes, next, depthLeft - 1, namesFrom);
    if (next === UNSURE) return UNSURE;
    const byte = bytes[next++];
    if (byte === CLOSE_BRACKET) return next;
    if (byte !== COMMA) return UNSURE;
  }
}

/** Whether one of the names kept so far, each from its opening quote to its end, is the same. */
function isHeld(bytes: Buffer, namesFrom: number, namesEnd: number, from: number, end: number): boolean {
  for (let i = namesFrom; i < namesEnd; i += 2) {
    const other = names[i]!;
    if (names[i + 1]! - other !== end - from) continue;
    let same = 1;
    while (from + same < end && bytes[other + same] === bytes[from + same]) same++;
    if (from + same === end) return true;
  }
  return false;
}

function stringEnd(bytes: Buffer, at: number): number {
  for (let next = at + 1; ; next++) {
    const byte = bytes[next]!;
    if (byte > QUOTE && byte !== BACKSLASH) continue;
    if (byte === QUOTE) return next + 1;
    if (byte < SPACE || byte === BACKSLASH) return UNSURE;
  }
}

function wordEnd(bytes: Buffer, at: number, word: string): number {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word.charCodeAt(i)) return UNSURE;
  return at + word.length;
}

function numberEnd(bytes: Buffer, at: number): number {
  const first = bytes[at] === MINUS ? at + 1 : at;
  let end = first;
  while (isDigit(bytes[end]!)) end++;
  const isInteger = bytes[end] !== POINT && (bytes[end]! | CASE_BIT) !== LETTER_E;
  const isShort = end > first && end - first <= DIGITS_MAX && bytes[first] !== ZERO;
  if (isInteger && (isShort || (first === at && end === first + 1))) return end;
  return literalEnd(bytes, at);
}

/** Accepts a number only as ECMAScript writes it. */
function literalEnd(bytes: Buffer, at: number): number {
  let end = at;
  while (isNumberByte(bytes[end]!)) end++;
  const literal = bytes.toString('latin1', at, end);
  return end > at && String(Number(literal)) === literal ? end : UNSURE;
}

function isNumberByte(byte: number): boolean {
  return isDigit(byte) || byte === POINT || byte === MINUS || byte === PLUS || (byte | CASE_BIT) === LETTER_E;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}
