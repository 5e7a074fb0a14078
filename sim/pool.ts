import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { failedSeed, type SeedJob } from './run-seed.ts';
import type { WorldResult } from './world.ts';

/** A seed that takes longer hangs: its thread is ended, and it counts as failed. */
const SEED_SECONDS_MAX = 900;
/** A world makes much that is soon of no use: in so much room it is collected ten times as seldom. */
const YOUNG_MB = 64;

/**
 * Runs all seeds, `threads` at a time, or those that begin within `secondsMax`. Results come back in the order of the jobs, whichever ended first; `onResult` hears of
 * them in that order too.
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

/** One seed: its hash. Several: a hash over theirs, in order. */
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

/** Undefined when it does not come to an end. */
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
