/**
 * A regular expression as a program for `matchesRegex`: an array of instructions of a non-deterministic automaton. It is
 * plain data, so that a filter with one can be written as JSON.
 */
export interface RegexProgram {
  readonly steps: readonly RegexStep[];
  /** Whether letters fit regardless of case. */
  readonly ignoreCase: boolean;
  /** Whether `^` and `$` fit at line ends too. */
  readonly multiline: boolean;
}

export type RegexStep =
  /** One code point inside one of the ranges (pairs of first and last), or outside all of them if negated. */
  | { readonly op: 'set'; readonly ranges: readonly number[]; readonly isNegated: boolean }
  /** Continues at both places. */
  | { readonly op: 'fork'; readonly to: number; readonly or: number }
  | { readonly op: 'jump'; readonly to: number }
  | { readonly op: 'assert'; readonly what: RegexAssertion }
  | { readonly op: 'done' };

export type RegexAssertion = 'start' | 'end' | 'word' | 'no word';
