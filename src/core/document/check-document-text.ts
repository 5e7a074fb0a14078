import { type DocumentLimits, HALF_PAIR, NUL_NAME, utf8BytesAbove } from './document-to-text.ts';
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
import { isPlainDocument } from './plain-document.ts';

/**
 * What a document of another node is held to, and what several versions resolve to. `Limits` bound what is written here, not
 * what others wrote: a claim of this node says that it holds it, and receipts, evictions and third nodes rely on that. Frames
 * bound the bytes, SQLite the depth.
 */
export const STORABLE: DocumentLimits = { documentBytesMax: Number.MAX_SAFE_INTEGER, documentDepthMax: 1000 };

/** Why the text of a remote document is refused: no node writes such a text. It is set aside and reported, and counts as known. */
export interface DocumentTextProblem {
  readonly reason: 'INVALID_DOCUMENT' | 'DOCUMENT_TOO_LARGE';
  /** What is wrong, as a predicate to "the document". Never contains parts of the document. */
  readonly what: string;
}

/**
 * Validation of remote writes: checks in one pass that a text is a document that `documentToText` could have produced, with
 * these limits.
 *
 * It must be a JSON object (RFC 8259) with no name twice in one object, no half surrogate pairs, no NUL in names, at most
 * `documentDepthMax` levels and at most `documentBytesMax` bytes. Numbers must be written as ECMAScript writes them (as in
 * RFC 8785, 3.2.2.3), so that every reader, SQLite included, sees the same number: neither -0 nor 1.0 nor an integer that a
 * double cannot hold. White space and needless escapes are allowed.
 */
export function checkDocumentText(text: string, limits: DocumentLimits): DocumentTextProblem | undefined {
  const bytes = utf8BytesAbove(text, limits.documentBytesMax);
  if (bytes !== undefined) {
    return { reason: 'DOCUMENT_TOO_LARGE', what: `has ${bytes} bytes of JSON, above ${limits.documentBytesMax}` };
  }
  if (text.isWellFormed() && isPlainDocument(text, limits.documentDepthMax)) return undefined;
  const what = text.isWellFormed() ? new Scanner(text, limits.documentDepthMax).scan() : HALF_PAIR;
  return what === undefined ? undefined : { reason: 'INVALID_DOCUMENT', what };
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
/** Up to this many names, searching a list is faster than building a set. */
const NAMES_LIST_MAX = 8;

/** A recursive-descent parser that keeps only its position. Its methods return false after setting `#problem`. */
class Scanner {
  readonly #text: string;
  readonly #depthMax: number;
  #at = 0;
  #problem: string | undefined;

  constructor(text: string, depthMax: number) {
    this.#text = text;
    this.#depthMax = depthMax;
  }

  scan(): string | undefined {
    if (this.#skipSpace() !== OPEN_BRACE) return 'is not a JSON object';
    if (this.#object(this.#depthMax) && !Number.isNaN(this.#skipSpace())) this.#fail('goes on after its end');
    return this.#problem;
  }

  #value(depthLeft: number): boolean {
    const unit = this.#skipSpace();
    if (unit === QUOTE) return this.#string();
    if (unit === OPEN_BRACE) return this.#object(depthLeft);
    if (unit === OPEN_BRACKET) return this.#array(depthLeft);
    if (unit === 0x74) return this.#word('true');
    if (unit === 0x66) return this.#word('false');
    if (unit === 0x6e) return this.#word('null');
    return this.#number();
  }

  #object(depthLeft: number): boolean {
    if (depthLeft < 1) return this.#failDepth();
    this.#at++;
    if (this.#skipSpace() === CLOSE_BRACE) return this.#step();
    const names: string[] = [];
    let nameSet: Set<string> | undefined;
    for (;;) {
      const name = this.#name();
      if (name === undefined) return false;
      if (nameSet === undefined ? names.includes(name) : nameSet.has(name)) return this.#fail('has a name twice');
      if (nameSet !== undefined) nameSet.add(name);
      else if (names.push(name) > NAMES_LIST_MAX) nameSet = new Set(names);
      if (this.#skipSpace() !== COLON) return this.#failSyntax();
      this.#at++;
      if (!this.#value(depthLeft - 1)) return false;
      const unit = this.#skipSpace();
      if (unit === CLOSE_BRACE) return this.#step();
      if (unit !== COMMA) return this.#failSyntax();
      this.#at++;
    }
  }

  #array(depthLeft: number): boolean {
    if (depthLeft < 1) return this.#failDepth();
    this.#at++;
    if (this.#skipSpace() === CLOSE_BRACKET) return this.#step();
    for (;;) {
      if (!this.#value(depthLeft - 1)) return false;
      const unit = this.#skipSpace();
      if (unit === CLOSE_BRACKET) return this.#step();
      if (unit !== COMMA) return this.#failSyntax();
      this.#at++;
    }
  }

  /** A name with its escapes decoded, so that two spellings of one name are equal. */
  #name(): string | undefined {
    if (this.#skipSpace() !== QUOTE) {
      this.#failSyntax();
      return undefined;
    }
    const from = this.#at;
    if (!this.#string()) return undefined;
    const raw = this.#text.slice(from + 1, this.#at - 1);
    if (!raw.includes('\\')) return raw;
    const name: string = JSON.parse(`"${raw}"`);
    if (!name.includes('\0')) return name;
    this.#fail(NUL_NAME);
    return undefined;
  }

  #string(): boolean {
    const text = this.#text;
    const from = this.#at;
    let isSurrogateEscaped = false;
    let at = from + 1;
    for (;;) {
      const unit = text.charCodeAt(at);
      if (unit === QUOTE) break;
      if (unit === BACKSLASH) {
        ESCAPE.lastIndex = at;
        if (!ESCAPE.test(text)) return this.#failSyntax();
        isSurrogateEscaped ||= text[at + 1] === 'u' && /^[dD]/.test(text[at + 2]!);
        at = ESCAPE.lastIndex;
      } else if (unit >= 0x20) at++;
      else return this.#failSyntax();
    }
    this.#at = at + 1;
    if (isSurrogateEscaped && !JSON.parse(text.slice(from, at + 1)).isWellFormed()) return this.#fail(HALF_PAIR);
    return true;
  }

  #number(): boolean {
    const from = this.#at;
    NUMBER.lastIndex = from;
    if (!NUMBER.test(this.#text)) return this.#failSyntax();
    this.#at = NUMBER.lastIndex;
    const literal = this.#text.slice(from, this.#at);
    return String(Number(literal)) === literal || this.#fail('writes a number in another form than ECMAScript');
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return this.#failSyntax();
    this.#at += word.length;
    return true;
  }

  /** The UTF-16 unit at the next token; NaN at the end. */
  #skipSpace(): number {
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return unit;
      this.#at++;
    }
  }

  #step(): boolean {
    this.#at++;
    return true;
  }

  #failSyntax(): boolean {
    return this.#fail('is not valid JSON');
  }

  #failDepth(): boolean {
    return this.#fail(`is nested deeper than ${this.#depthMax} levels`);
  }

  #fail(what: string): boolean {
    this.#problem = `${what} (at character ${this.#at})`;
    return false;
  }
}
