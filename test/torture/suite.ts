/** Options and results of every fault suite. */

/** Only `silent` is a failure: something was lost or wrong, and nobody was told. */
export type Outcome = 'kept' | 'healed' | 'reported' | 'silent';

export interface SuiteOptions {
  /** How many cases to run. */
  readonly count: number;
  readonly seed: number;
  /** No further case begins after this, by `performance.now()`. */
  readonly deadline: number;
  readonly signal?: AbortSignal;
}

export interface SuiteResult {
  readonly cases: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** One line per case that went wrong, with what is needed to repeat it. */
  readonly problems: readonly string[];
  /** Figures worth a line in the report. */
  readonly notes: readonly string[];
  /** Why the suite did not run; null if it did. */
  readonly skipped: string | null;
}

export interface Suite {
  readonly name: string;
  readonly about: string;
  readonly counts: { readonly ci: number; readonly full: number };
  run(options: SuiteOptions): Promise<SuiteResult>;
}

/** Counts outcomes while a suite runs. */
export class Tally {
  readonly outcomes: Record<Outcome, number> = { kept: 0, healed: 0, reported: 0, silent: 0 };
  readonly problems: string[] = [];
  readonly notes: string[] = [];

  get cases(): number {
    return Object.values(this.outcomes).reduce((sum, count) => sum + count, 0);
  }

  add(outcome: Outcome): void {
    this.outcomes[outcome]++;
  }

  /** Notes a case that went wrong. */
  fail(name: string, problems: readonly string[]): void {
    this.add('silent');
    this.problems.push(`${name}: ${problems.slice(0, 5).join('; ')}`);
  }

  result(): SuiteResult {
    const { cases, outcomes, problems, notes } = this;
    return { cases, outcomes, problems, notes, skipped: null };
  }
}

/** Whether another case may begin. The first one always may: a sample that tried nothing would prove nothing. */
export function mayBegin({ deadline, signal }: SuiteOptions, { cases }: Tally): boolean {
  return !signal?.aborted && (cases === 0 || performance.now() < deadline);
}

export function skippedResult(why: string): SuiteResult {
  return { ...new Tally().result(), skipped: why };
}

/** `count` items of `all`, evenly spread from a start that depends on the seed. */
export function spread<T>(all: readonly T[], count: number, seed: number): T[] {
  if (count >= all.length) return [...all];
  const step = all.length / count;
  return Array.from({ length: count }, (_, i) => all[Math.floor(i * step + (seed % Math.ceil(step))) % all.length]!);
}
