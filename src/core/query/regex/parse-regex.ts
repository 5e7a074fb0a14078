import type { RegexAssertion } from './program.ts';
import { RegexError } from './regex-error.ts';

export type RegexNode =
  | { readonly kind: 'set'; readonly ranges: readonly number[]; readonly isNegated: boolean }
  | { readonly kind: 'assert'; readonly what: RegexAssertion }
  | { readonly kind: 'sequence' | 'either'; readonly parts: readonly RegexNode[] }
  /** `max` may be Infinity. */
  | { readonly kind: 'repeat'; readonly part: RegexNode; readonly min: number; readonly max: number };

export interface RegexOptions {
  /** Whether `.` fits line ends too. */
  readonly dotAll: boolean;
}

const GROUPS_DEEP_MAX = 100;
const REPEAT_MAX = 1000;
const LAST = 0x10ffff;
const DIGITS = [0x30, 0x39];
const WORD = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
const SPACE = [
  0x09, 0x0d, 0x20, 0x20, 0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x202f, 0x205f, 0x205f,
  0x3000, 0x3000, 0xfeff, 0xfeff,
];
const LINE_ENDS = [0x0a, 0x0a, 0x0d, 0x0d, 0x2028, 0x2029];
const SETS: Readonly<Record<string, readonly number[]>> = { d: DIGITS, w: WORD, s: SPACE };
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, '0': 0 };
const SYNTAX = '^$\\.*+?()[]{}|/';

/**
 * Parses the subset of JavaScript's regular expressions (with flag `u`) that can be matched in linear time: no back
 * references, no lookahead or lookbehind. Named groups and \p are not supported, for brevity. Throws RegexError.
 */
export function parseRegex(pattern: string, options: RegexOptions): RegexNode {
  const parser = new Parser(Array.from(pattern), options);
  const node = parser.either(0);
  if (!parser.isAtEnd) throw new RegexError('closes a group that was not opened');
  return node;
}

class Parser {
  readonly #signs: readonly string[];
  readonly #options: RegexOptions;
  #at = 0;

  constructor(signs: readonly string[], options: RegexOptions) {
    this.#signs = signs;
    this.#options = options;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#signs.length;
  }

  either(depth: number): RegexNode {
    if (depth > GROUPS_DEEP_MAX) throw new RegexError(`nests groups deeper than ${GROUPS_DEEP_MAX} levels`);
    const parts = [this.#sequence(depth)];
    while (this.#take('|')) parts.push(this.#sequence(depth));
    return parts.length === 1 ? parts[0]! : { kind: 'either', parts };
  }

  #sequence(depth: number): RegexNode {
    const parts: RegexNode[] = [];
    while (!this.isAtEnd && !'|)'.includes(this.#sign)) parts.push(this.#repeated(this.#atom(depth)));
    return { kind: 'sequence', parts };
  }

  #atom(depth: number): RegexNode {
    const sign = this.#next();
    switch (sign) {
      case '^':
        return { kind: 'assert', what: 'start' };
      case '$':
        return { kind: 'assert', what: 'end' };
      case '.':
        return { kind: 'set', ranges: this.#options.dotAll ? [] : LINE_ENDS, isNegated: true };
      case '(':
        return this.#group(depth);
      case '[':
        return this.#class();
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
      case '{':
        throw new RegexError(`repeats nothing with ${sign}`);
      case ']':
      case '}':
        throw new RegexError(`has a ${sign} that nothing opened; write \\${sign}`);
      default:
        return one(sign.codePointAt(0)!);
    }
  }

  #group(depth: number): RegexNode {
    if (this.#take('?') && !this.#take(':')) {
      throw new RegexError('looks ahead or behind, names a group or sets flags, which $regex does not do');
    }
    const node = this.either(depth + 1);
    if (!this.#take(')')) throw new RegexError('opens a group that is not closed');
    return node;
  }

  #repeated(part: RegexNode): RegexNode {
    const [min, max] = this.#quantifier() ?? [1, 1];
    if (min === 1 && max === 1) return part;
    if (part.kind === 'assert') throw new RegexError('repeats a place, such as ^ or \\b, which has no length');
    // Whether a text fits does not depend on greediness.
    this.#take('?');
    return { kind: 'repeat', part, min, max };
  }

  #quantifier(): readonly [min: number, max: number] | undefined {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    if (!this.#take('{')) return undefined;
    const text = this.#untilBrace();
    const counts = /^(\d+)(,(\d*))?$/.exec(text);
    if (counts === null) throw new RegexError(`has the repetition {${text}}, which is no {2}, {2,} or {2,5}`);
    const min = Number(counts[1]);
    const max = counts[2] === undefined ? min : counts[3] === '' ? Number.POSITIVE_INFINITY : Number(counts[3]);
    if (min > REPEAT_MAX || (max !== Number.POSITIVE_INFINITY && max > REPEAT_MAX) || min > max) {
      throw new RegexError(`has the repetition {${text}}, which is not in order or above ${REPEAT_MAX}`);
    }
    return [min, max];
  }

  #escape(): RegexNode {
    if (this.#take('b')) return { kind: 'assert', what: 'word' };
    if (this.#take('B')) return { kind: 'assert', what: 'no word' };
    const found = this.#escaped(false);
    return typeof found === 'number' ? one(found) : { kind: 'set', ranges: found, isNegated: false };
  }

  /** After a backslash: a code point, or the ranges of a set. */
  #escaped(isInClass: boolean): number | readonly number[] {
    const sign = this.#next('ends with a backslash');
    const set = SETS[sign.toLowerCase()];
    if (set !== undefined) return sign === sign.toLowerCase() ? set : inverted(set);
    if (sign === 'x') return this.#hex(2);
    if (sign === 'u') return this.#take('{') ? hexNumber(this.#untilBrace()) : this.#hex(4);
    if (isInClass && sign === 'b') return 8;
    const control = CONTROLS[sign];
    if (control !== undefined && !(sign === '0' && /\d/.test(this.#sign))) return control;
    if (SYNTAX.includes(sign) || (isInClass && sign === '-')) return sign.codePointAt(0)!;
    throw new RegexError(`has the escape \\${sign}, which $regex does not know (back references among them)`);
  }

  #class(): RegexNode {
    const isNegated = this.#take('^');
    const ranges: number[] = [];
    while (!this.#take(']')) {
      const first = this.#classItem();
      if (typeof first !== 'number' || this.#sign !== '-' || this.#signs[this.#at + 1] === ']') {
        ranges.push(...(typeof first === 'number' ? [first, first] : first));
        continue;
      }
      this.#next();
      const last = this.#classItem();
      if (typeof last !== 'number' || last < first) throw new RegexError('has a range in [] that is not in order');
      ranges.push(first, last);
    }
    return { kind: 'set', ranges, isNegated };
  }

  #classItem(): number | readonly number[] {
    const sign = this.#next('opens a [ that is not closed');
    return sign === '\\' ? this.#escaped(true) : sign.codePointAt(0)!;
  }

  #hex(digits: number): number {
    const text = this.#signs.slice(this.#at, this.#at + digits).join('');
    this.#at += digits;
    return text.length === digits ? hexNumber(text) : hexNumber('');
  }

  #untilBrace(): string {
    const close = this.#signs.indexOf('}', this.#at);
    if (close < 0) throw new RegexError('misses a }');
    const text = this.#signs.slice(this.#at, close).join('');
    this.#at = close + 1;
    return text;
  }

  get #sign(): string {
    return this.#signs[this.#at] ?? '';
  }

  #next(problem = 'ends too early'): string {
    const sign = this.#signs[this.#at++];
    if (sign === undefined) throw new RegexError(problem);
    return sign;
  }

  #take(sign: string): boolean {
    if (this.isAtEnd || this.#sign !== sign) return false;
    this.#at++;
    return true;
  }
}

function one(codePoint: number): RegexNode {
  return { kind: 'set', ranges: [codePoint, codePoint], isNegated: false };
}

/** All code points outside these ranges, which are in order. */
function inverted(ranges: readonly number[]): readonly number[] {
  const rest: number[] = [];
  let from = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    if (ranges[i]! > from) rest.push(from, ranges[i]! - 1);
    from = ranges[i + 1]! + 1;
  }
  return [...rest, from, LAST];
}

function hexNumber(text: string): number {
  const number = /^[0-9a-fA-F]{1,8}$/.test(text) ? Number.parseInt(text, 16) : LAST + 1;
  if (number > LAST) throw new RegexError(`has a code point ${JSON.stringify(text)} that does not exist`);
  return number;
}
