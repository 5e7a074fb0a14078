import type { ErrorReason } from '../../core/errors/index.ts';
import type { Damage } from '../store.ts';

/** Work on a database file that takes long and so is done in a thread of its own. */
export type Job =
  /** Copies the log into the main file as far as readers allow. */
  | { readonly kind: 'checkpoint'; readonly path: string }
  | { readonly kind: 'check'; readonly path: string; readonly damageMax: number }
  | { readonly kind: 'backup'; readonly path: string; readonly toPath: string; readonly overwrite: boolean };

/** To the worker. `stop` is one shared 32-bit integer: not 0 asks the job to end soon. */
export interface JobRequest {
  readonly id: number;
  readonly job: Job;
  readonly stop: Int32Array<SharedArrayBuffer>;
}

/** From the worker; `done` or `failed` is the last one of a job. */
export type JobReport =
  | { readonly id: number; readonly kind: 'damage'; readonly damage: Damage }
  | { readonly id: number; readonly kind: 'progress'; readonly fraction: number }
  /** `left`: frames of the log that could not be copied yet. */
  | { readonly id: number; readonly kind: 'done'; readonly left: number }
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
}
