import type { RegexAssertion, RegexProgram, RegexStep } from './program.ts';

/**
 * Whether the pattern fits somewhere in the text. All ways through the program are followed at once, one code point at a time
 * (R. Pike's simulation: swtch.com/~rsc/regexp/regexp2.html): steps × length of the text at most, whatever the pattern.
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

/** With what every text begins that the pattern fits; empty where nothing is certain. */
export function literalStart({ steps, ignoreCase, multiline }: RegexProgram): string {
  const [first, ...others] = steps;
  if (first?.op !== 'assert' || first.what !== 'start' || ignoreCase || multiline) return '';
  let text = '';
  for (const step of others) {
    // Before what may be left out, or chosen, there is a fork.
    if (step.op !== 'set' || step.isNegated || step.ranges.length !== 2 || step.ranges[0] !== step.ranges[1]) break;
    text += String.fromCodePoint(step.ranges[0]!);
  }
  return text;
}

/** The places of the program where the simulation stands: each once, whatever the ways to it. */
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

  /** Goes from a place as far as it can without reading; true when it reaches the end of the program. */
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

/** A code point in both cases, where its other case is one code point too. */
function casesOf(codePoint: number): readonly number[] {
  const sign = String.fromCodePoint(codePoint);
  const upper = sign.toUpperCase();
  const cases = new Set([codePoint]);
  for (const other of [upper, sign.toLowerCase(), upper.toLowerCase()]) {
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
      return (isWordSign(text[at - 1]) !== isWordSign(text[at])) === (what === 'word');
  }
}

function isLineEnd(sign: string): boolean {
  return sign === '\n' || sign === '\r' || sign === '\u2028' || sign === '\u2029';
}

function isWordSign(sign: string | undefined): boolean {
  return sign !== undefined && /^[0-9A-Za-z_]$/.test(sign);
}
