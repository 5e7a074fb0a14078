/**
 * A regular expression as a program for `matchesRegex`: instructions of a non-deterministic automaton, in an array. Plain data,
 * so that a filter that holds one can be written as JSON.
 */
export interface RegexProgram {
  readonly steps: readonly RegexStep[];
  /** Letters are equal to their other case. */
  readonly ignoreCase: boolean;
  /** `^` and `$` fit at line ends too. */
  readonly multiline: boolean;
}

export type RegexStep =
  /** One code point that is in one of the ranges (pairs of first and last), or in none of them. */
  | { readonly op: 'set'; readonly ranges: readonly number[]; readonly isNegated: boolean }
  /** Goes on at both. */
  | { readonly op: 'fork'; readonly to: number; readonly or: number }
  | { readonly op: 'jump'; readonly to: number }
  | { readonly op: 'assert'; readonly what: RegexAssertion }
  | { readonly op: 'done' };

export type RegexAssertion = 'start' | 'end' | 'word' | 'no word';
