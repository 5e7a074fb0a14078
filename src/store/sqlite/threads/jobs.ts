import type { ErrorReason } from '../../../core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../../../core/ids/index.ts';
import type { Query } from '../../../core/query/index.ts';
import type { Damage } from '../../store.ts';

/** Long work on a database file, done in a thread of its own. */
export type Job =
  /** Copies the log into the main file as far as readers allow. */
  | { readonly kind: 'checkpoint'; readonly path: string }
  | { readonly kind: 'check'; readonly path: string; readonly damageMax: number }
  | ({ readonly kind: 'backup'; readonly path: string } & CopyTarget)
  | QueryJob;

/** Where a copy goes. */
export interface CopyTarget {
  readonly toPath: string;
  /** Replica id of the database, so that two that copy to one path do not write into one unfinished file. */
  readonly writer: string;
  readonly overwrite: boolean;
}

/** Answers a query as of one moment: all documents in its order, or their count. */
export interface QueryJob {
  readonly kind: 'find' | 'count';
  readonly path: string;
  readonly collection: CollectionName;
  readonly query: Query;
  /** Indexes that are known to be rotten. */
  readonly distrusted: ReadonlySet<number>;
}

/** To the worker. */
export interface JobRequest {
  readonly id: number;
  readonly job: Job;
  /** The cell of a `JobControl`. */
  readonly cell: Int32Array<SharedArrayBuffer>;
}

/** Some of the documents that a query found, in order. Two lists of texts are faster to copy between threads than pairs. */
export interface FoundPart {
  readonly keys: readonly DocumentKey[];
  readonly values: readonly string[];
}

/** From the worker; `done` or `failed` is the last one of a job. */
export type JobReport =
  | { readonly id: number; readonly kind: 'damage'; readonly damage: Damage }
  | { readonly id: number; readonly kind: 'progress'; readonly fraction: number }
  /** The receiver reports when it has taken the part. */
  | { readonly id: number; readonly kind: 'found'; readonly part: FoundPart }
  /** `result`: for a checkpoint, frames of the log that could not be copied yet; for a count, the count; otherwise 0. */
  | { readonly id: number; readonly kind: 'done'; readonly result: number }
  | {
      readonly id: number;
      readonly kind: 'failed';
      readonly reason: ErrorReason<'PERSISTENCE_ERROR'>;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };

/** Callbacks for a job while it runs. */
export interface JobContext {
  readonly isStopped: () => boolean;
  readonly onDamage: (damage: Damage) => void;
  readonly onProgress: (fraction: number) => void;
  /** Hands over a part. Returns when another one may follow, or the job should end. */
  readonly onFound: (part: FoundPart) => void;
}
