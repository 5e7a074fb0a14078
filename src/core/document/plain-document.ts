import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  NUMBER,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './json-signs.ts';

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_E = 0x65;
/** What tells lower case from upper case. */
const CASE_BIT = 0x20;
const SPACE = 0x20;
/** Not plain: whether it is valid must be found out otherwise. */
const UNSURE = -1;
/** Integers of so few digits are exact. */
const DIGITS_MAX = 15;
/** Objects with more names are left to those who make a set of them. */
const NAMES_MAX = 32;
/** Where the names of the objects that a position is in begin and end. Kept, for there is one check at a time and many of them. */
const names: number[] = [];

/**
 * True for a text that is certainly a document of at most so many levels (see `checkDocumentText`), spelled as
 * `JSON.stringify` spells most: without white space and without escapes. False says nothing. Three times as fast as to
 * find out what is wrong with a text: positions are handed on, nothing is made. The text must hold no half surrogate pairs.
 */
export function isPlainDocument(text: string, depthMax: number): boolean {
  return text.charCodeAt(0) === OPEN_BRACE && objectEnd(text, 0, depthMax, 0) === text.length;
}

function valueEnd(text: string, at: number, depthLeft: number, namesFrom: number): number {
  const unit = text.charCodeAt(at);
  if (unit === QUOTE) return stringEnd(text, at);
  if (unit === OPEN_BRACE) return objectEnd(text, at, depthLeft, namesFrom);
  if (unit === OPEN_BRACKET) return arrayEnd(text, at, depthLeft, namesFrom);
  if (unit === 0x74) return wordEnd(text, at, 'true');
  if (unit === 0x66) return wordEnd(text, at, 'false');
  if (unit === 0x6e) return wordEnd(text, at, 'null');
  return numberEnd(text, at);
}

/** Its names are kept from `namesFrom` on, and those of the objects in it behind them. */
function objectEnd(text: string, at: number, depthLeft: number, namesFrom: number): number {
  if (depthLeft < 1) return UNSURE;
  let next = at + 1;
  if (text.charCodeAt(next) === CLOSE_BRACE) return next + 1;
  let namesEnd = namesFrom;
  for (;;) {
    if (text.charCodeAt(next) !== QUOTE) return UNSURE;
    const end = stringEnd(text, next);
    if (end === UNSURE || namesEnd - namesFrom === 2 * NAMES_MAX) return UNSURE;
    if (isHeld(text, namesFrom, namesEnd, next, end)) return UNSURE;
    names[namesEnd++] = next;
    names[namesEnd++] = end;
    if (text.charCodeAt(end) !== COLON) return UNSURE;
    next = valueEnd(text, end + 1, depthLeft - 1, namesEnd);
    if (next === UNSURE) return UNSURE;
    const unit = text.charCodeAt(next++);
    if (unit === CLOSE_BRACE) return next;
    if (unit !== COMMA) return UNSURE;
  }
}

function arrayEnd(text: string, at: number, depthLeft: number, namesFrom: number): number {
  if (depthLeft < 1) return UNSURE;
  let next = at + 1;
  if (text.charCodeAt(next) === CLOSE_BRACKET) return next + 1;
  for (;;) {
    next = valueEnd(text, next, depthLeft - 1, namesFrom);
    if (next === UNSURE) return UNSURE;
    const unit = text.charCodeAt(next++);
    if (unit === CLOSE_BRACKET) return next;
    if (unit !== COMMA) return UNSURE;
  }
}

/** Whether one of the names, each from its first quote to its end, is the same. */
function isHeld(text: string, namesFrom: number, namesEnd: number, from: number, end: number): boolean {
  for (let i = namesFrom; i < namesEnd; i += 2) {
    const other = names[i]!;
    if (names[i + 1]! - other !== end - from) continue;
    let same = 1;
    while (from + same < end && text.charCodeAt(other + same) === text.charCodeAt(from + same)) same++;
    if (from + same === end) return true;
  }
  return false;
}

function stringEnd(text: string, at: number): number {
  for (let next = at + 1; ; next++) {
    const unit = text.charCodeAt(next);
    if (unit > QUOTE && unit !== BACKSLASH) continue;
    if (unit === QUOTE) return next + 1;
    // NaN at the end of the text is not above anything either.
    if (!(unit >= SPACE) || unit === BACKSLASH) return UNSURE;
  }
}

function wordEnd(text: string, at: number, word: string): number {
  return text.startsWith(word, at) ? at + word.length : UNSURE;
}

function numberEnd(text: string, at: number): number {
  const first = text.charCodeAt(at) === MINUS ? at + 1 : at;
  let end = first;
  let unit = text.charCodeAt(end);
  while (unit >= ZERO && unit <= NINE) unit = text.charCodeAt(++end);
  const isInteger = unit !== POINT && (unit | CASE_BIT) !== LETTER_E;
  const isShort = end > first && end - first <= DIGITS_MAX && text.charCodeAt(first) !== ZERO;
  if (isInteger && (isShort || (first === at && end === first + 1))) return end;
  return literalEnd(text, at);
}

/** As ECMAScript writes it, or not plain. */
function literalEnd(text: string, at: number): number {
  NUMBER.lastIndex = at;
  if (!NUMBER.test(text)) return UNSURE;
  const literal = text.slice(at, NUMBER.lastIndex);
  return String(Number(literal)) === literal ? at + literal.length : UNSURE;
}
