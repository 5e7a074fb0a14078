/** What is measured side by side: the engine, two raw baselines directly on SQLite, and other databases. */
export type SubjectName = 'ours' | BaselineName | PeerName;

export type BaselineName = 'row' | 'chained';

/** Other databases, installed on demand (bench/peers). */
export type PeerName = 'pouchdb' | 'rxdb';

/** The figures of one run, by name with unit: `writes/s`, `p50 ms`, `bytes` … More is better only of writes and reads per second. */
export type Figures = Readonly<Record<string, number>>;

/** A subject that is ready for its runs, on one data set. */
export interface Prepared {
  /** Measures once. `round` counts from 0; each round has its own files and random picks. */
  run(round: number): Promise<Figures>;
  close(): Promise<void>;
}

/** Prepares a subject in a folder of its own. Data from an earlier process there is used as it is. */
export type Subject = (folder: string) => Promise<Prepared>;

export type Subjects = Readonly<Partial<Record<SubjectName, Subject>>>;

export interface Goal {
  readonly figure: string;
  /** The bound is a factor on the median of this baseline. Absent: the bound is absolute. */
  readonly of?: BaselineName;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface BenchCase {
  readonly name: string;
  readonly about: string;
  readonly subjects: Subjects;
  readonly goals: readonly Goal[];
  /** Whether each run has a process of its own, so that memory and caches are its own. Default: one process for all runs. */
  readonly isFreshProcess?: boolean;
  /** Heap limit of the subject's process, MiB. Default: that of Node. */
  readonly heapMibMax?: number;
  /** The most runs, where fewer than usual are enough, because nothing varies or a run takes minutes. */
  readonly runs?: number;
}

/** How large the suite is. */
export interface Scale {
  /** Use the sizes of the goals, where the usual sizes are smaller so that a run takes only minutes. */
  readonly isFull: boolean;
  /** Measure the other databases too. */
  readonly withPeers: boolean;
}
