import type { ErrorReason } from '../../../core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../../../core/ids/index.ts';
import type { Query } from '../../../core/query/index.ts';
import type { Damage } from '../../store.ts';

/** Work on a database file that takes long and so is done in a thread of its own. */
export type Job =
  /** Copies the log into the main file as far as readers allow. */
  | { readonly kind: 'checkpoint'; readonly path: string }
  | { readonly kind: 'check'; readonly path: string; readonly damageMax: number }
  | { readonly kind: 'backup'; readonly path: string; readonly toPath: string; readonly overwrite: boolean }
  | QueryJob;

/** Answers a query as of one moment: all documents in its order, or how many fit. */
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
  /** Of a `JobControl`. */
  readonly cell: Int32Array<SharedArrayBuffer>;
}

/** Some of the documents that a query found, in order. Two lists of texts are copied between threads faster than pairs. */
export interface FoundPart {
  readonly keys: readonly DocumentKey[];
  readonly values: readonly string[];
}

/** From the worker; `done` or `failed` is the last one of a job. */
export type JobReport =
  | { readonly id: number; readonly kind: 'damage'; readonly damage: Damage }
  | { readonly id: number; readonly kind: 'progress'; readonly fraction: number }
  /** Its receiver says when it was taken. */
  | { readonly id: number; readonly kind: 'found'; readonly part: FoundPart }
  /** `result`: of a checkpoint, frames of the log that could not be copied yet; of a count, how many; else 0. */
  | { readonly id: number; readonly kind: 'done'; readonly result: number }
  | {
      readonly id: number;
      readonly kind: 'failed';
      readonly reason: ErrorReason<'PERSISTENCE_ERROR'>;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };

/** What a job may do while it runs. */
export interface JobContext {
  readonly isStopped: () => boolean;
  readonly onDamage: (damage: Damage) => void;
  readonly onProgress: (fraction: number) => void;
  /** Returns when there is room for another part, or the job is to end. */
  readonly onFound: (part: FoundPart) => void;
}
