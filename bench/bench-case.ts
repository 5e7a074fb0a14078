/** What is measured side by side: the engine, two raw baselines without any library above SQLite, and other databases. */
export type SubjectName = 'ours' | BaselineName | PeerName;

export type BaselineName = 'row' | 'chained';

/** Other databases, installed on demand: see bench/peers. */
export type PeerName = 'pouchdb' | 'rxdb';

/** One measured figure of one run, by name: `writes/s`, `p50 ms`, `bytes` … The unit says whether more is better: only of `/s`. */
export type Figures = Readonly<Record<string, number>>;

/** A subject made ready for its runs, on one data set. */
export interface Prepared {
  /** Measures once. `round` counts from 0; files and random picks of a round are its own. */
  run(round: number): Promise<Figures>;
  close(): Promise<void>;
}

/** Prepares in a folder of its own. What it finds there from an earlier process it takes as it is. */
export type Subject = (folder: string) => Promise<Prepared>;

export type Subjects = Readonly<Partial<Record<SubjectName, Subject>>>;

export interface Goal {
  readonly figure: string;
  /** The bound is a factor on the median of this baseline. Absent: the bound is the figure itself. */
  readonly of?: BaselineName;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface BenchCase {
  readonly name: string;
  readonly about: string;
  readonly subjects: Subjects;
  readonly goals: readonly Goal[];
  /** Each run has a process of its own, so that memory and caches are those of this run. Default: one process for all runs. */
  readonly isFreshProcess?: boolean;
  /** Heap of the subject's process, MiB. Default: what Node takes. */
  readonly heapMibMax?: number;
  /** Runs, where fewer than usual will do because nothing varies or a run takes minutes. */
  readonly runs?: number;
}

/** How large the suite is. */
export interface Scale {
  /** With the sizes of the goals where the usual ones are smaller, to be done in minutes. */
  readonly isFull: boolean;
  /** Beside the other databases. */
  readonly withPeers: boolean;
}
