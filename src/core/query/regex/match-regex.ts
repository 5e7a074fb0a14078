import type { RegexAssertion, RegexProgram, RegexStep } from './program.ts';

/**
 * Whether the pattern fits somewhere in the text. All paths through the program are followed simultaneously, one code point
 * at a time (R. Pike's simulation: swtch.com/~rsc/regexp/regexp2.html), which takes at most steps × length of the text,
 * whatever the pattern.
 */
export function matchesRegex(program: RegexProgram, text: string): boolean {
  let now = new Places(program, text);
  let next = new Places(program, text);
  for (let at = 0; ; ) {
    if (now.enter(0, at)) return true;
    if (at >= text.length) return false;
    const codePoint = text.codePointAt(at)!;
    const variants = program.ignoreCase ? casesOf(codePoint) : [codePoint];
    at += codePoint > 0xffff ? 2 : 1;
    for (const place of now.sets) {
      const step = program.steps[place] as RegexStep & { op: 'set' };
      if (isInSet(step, variants) && next.enter(place + 1, at)) return true;
    }
    [now, next] = [next, now];
    next.clear();
  }
}

/** The text with which every fitting text begins; empty if nothing is certain. */
export function literalStart({ steps, ignoreCase, multiline }: RegexProgram): string {
  const [first, ...others] = steps;
  if (first?.op !== 'assert' || first.what !== 'start' || ignoreCase || multiline) return '';
  let text = '';
  for (const step of others) {
    // Anything optional or alternative begins with a fork, which ends the certain part.
    if (step.op !== 'set' || step.isNegated || step.ranges.length !== 2 || step.ranges[0] !== step.ranges[1]) break;
    text += String.fromCodePoint(step.ranges[0]!);
  }
  return text;
}

/** The places in the program where the simulation stands, each once however it was reached. */
class Places {
  readonly sets: number[] = [];
  readonly #program: RegexProgram;
  readonly #text: string;
  readonly #visited: Uint8Array;

  constructor(program: RegexProgram, text: string) {
    this.#program = program;
    this.#text = text;
    this.#visited = new Uint8Array(program.steps.length);
  }

  clear(): void {
    this.sets.length = 0;
    this.#visited.fill(0);
  }

  /** Follows the program from a place as far as possible without reading; true if it reaches the end. */
  enter(place: number, at: number): boolean {
    const waiting = [place];
    for (let here = waiting.pop(); here !== undefined; here = waiting.pop()) {
      if (this.#visited[here] === 1) continue;
      this.#visited[here] = 1;
      const step = this.#program.steps[here]!;
      if (step.op === 'done') return true;
      if (step.op === 'set') this.sets.push(here);
      else if (step.op === 'jump') waiting.push(step.to);
      else if (step.op === 'fork') waiting.push(step.or, step.to);
      else if (holds(step.what, this.#text, at, this.#program.multiline)) waiting.push(here + 1);
    }
    return false;
  }
}

function isInSet({ ranges, isNegated }: RegexStep & { op: 'set' }, variants: readonly number[]): boolean {
  return variants.some((variant) => isInRanges(ranges, variant)) !== isNegated;
}

function isInRanges(ranges: readonly number[], codePoint: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) if (codePoint >= ranges[i]! && codePoint <= ranges[i + 1]!) return true;
  return false;
}

/** A code point and its other cases, as far as those are single code points. */
function casesOf(codePoint: number): readonly number[] {
  const character = String.fromCodePoint(codePoint);
  const upper = character.toUpperCase();
  const cases = new Set([codePoint]);
  for (const other of [upper, character.toLowerCase(), upper.toLowerCase()]) {
    const found = other.codePointAt(0)!;
    if (other.length === (found > 0xffff ? 2 : 1)) cases.add(found);
  }
  return [...cases];
}

function holds(what: RegexAssertion, text: string, at: number, multiline: boolean): boolean {
  switch (what) {
    case 'start':
      return at === 0 || (multiline && isLineEnd(text[at - 1]!));
    case 'end':
      return at === text.length || (multiline && isLineEnd(text[at]!));
    default:
      return (isWordCharacter(text[at - 1]) !== isWordCharacter(text[at])) === (what === 'word');
  }
}

function isLineEnd(character: string): boolean {
  return character === '\n' || character === '\r' || character === '\u2028' || character === '\u2029';
}

function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && /^[0-9A-Za-z_]$/.test(character);
}
