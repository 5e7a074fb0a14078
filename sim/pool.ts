import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { failedSeed, type SeedJob } from './run-seed.ts';
import type { WorldResult } from './world.ts';

/** A seed that takes longer is considered hung: its thread is ended, and it counts as failed. */
const SEED_SECONDS_MAX = 900;
/** A world creates much short-lived garbage; with this young generation, collections are ten times as rare. */
const YOUNG_MB = 64;

/**
 * Runs the seeds, `threads` at a time; after `secondsMax` no further seed begins. Results come back in the order of the
 * jobs, whichever ended first, and `onResult` is called in that order too.
 */
export async function runPool(
  jobs: readonly SeedJob[],
  threads: number,
  onResult: (job: SeedJob, result: WorldResult) => void,
  secondsMax = Number.POSITIVE_INFINITY,
): Promise<WorldResult[]> {
  const results: WorldResult[] = [];
  const end = performance.now() + secondsMax * 1000;
  let taken = 0;
  let told = 0;
  const tell = (): void => {
    for (let result = results[told]; result !== undefined; result = results[++told]) onResult(jobs[told]!, result);
  };
  const work = async (): Promise<void> => {
    let worker = newWorker();
    for (let i = taken++; i < jobs.length && performance.now() < end; i = taken++) {
      const result = await runOn(worker, jobs[i]!);
      if (result === undefined) {
        await worker.terminate();
        worker = newWorker();
      }
      results[i] = result ?? failedSeed(jobs[i]!, `did not end within ${SEED_SECONDS_MAX} s`);
      tell();
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(threads, jobs.length) }, work));
  return results;
}

/** The hash of a single seed, or a hash over those of several, in order. */
export function hashOfAll(results: readonly WorldResult[]): string {
  if (results.length === 1) return results[0]!.hash;
  const text = results.map(({ seed, hash }) => `${seed}:${hash}`).join('\n');
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function newWorker(): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
}

/** Runs one seed on the worker; undefined if it does not end in time. */
function runOn(worker: Worker, job: SeedJob): Promise<WorldResult | undefined> {
  return new Promise((resolve, reject) => {
    const end = (result: WorldResult | undefined): void => {
      clearTimeout(timer);
      worker.off('message', end).off('error', reject);
      resolve(result);
    };
    const timer = setTimeout(() => end(undefined), SEED_SECONDS_MAX * 1000);
    worker.on('message', end).on('error', reject);
    worker.postMessage(job);
  });
}
