import { LIMITS } from '../../../core/config/index.ts';
import type { Damage } from '../../store.ts';
import type { JobThreads } from './job-threads.ts';

/** Runs a check and yields damage as it is found. Leaving the loop early stops the job. */
export async function* streamDamage(threads: JobThreads, path: string, signal?: AbortSignal): AsyncGenerator<Damage> {
  const stop = new AbortController();
  const found: Damage[] = [];
  let wake = (): void => {};
  let isDone = false;
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const job = threads
    .run(
      { kind: 'check', path, damageMax: LIMITS.damageListMax },
      {
        signal: either,
        onReport: (report) => {
          if (report.kind === 'damage') found.push(report.damage);
          wake();
        },
      },
    )
    .finally(() => {
      isDone = true;
      wake();
    });
  // A failure is thrown at the end, where the job is awaited. Until then it must not count as unhandled.
  job.catch(() => {});
  try {
    for (;;) {
      while (found.length > 0) yield found.shift()!;
      if (isDone) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    await job;
  } finally {
    stop.abort();
  }
}
