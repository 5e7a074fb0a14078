/** What is measured side by side: the engine, and two raw baselines without any library above SQLite. */
export type SubjectName = 'ours' | 'chained' | 'row';

/** One measured figure of one run, by name: `writes/s`, `p50 ms`, `bytes` … */
export type Figures = Readonly<Record<string, number>>;

/** A subject made ready for its runs, on one data set. */
export interface Prepared {
  /** Measures once. `round` counts from 0; files and random picks of a round are its own. */
  run(round: number): Promise<Figures>;
  close(): Promise<void>;
}

export type Subject = (folder: string) => Promise<Prepared>;

export interface Goal {
  readonly figure: string;
  readonly of: Exclude<SubjectName, 'ours'>;
  /** `atLeast` for speeds, `atMost` for times and bytes: factor on the baseline's median. */
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface BenchCase {
  readonly name: string;
  readonly about: string;
  readonly subjects: Readonly<Partial<Record<SubjectName, Subject>>>;
  readonly goals: readonly Goal[];
}
