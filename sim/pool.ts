import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { HangWatch, LOOK_MS } from './hang-watch.ts';
import { failedSeed, type SeedJob } from './run-seed.ts';
import type { WorldResult } from './world.ts';

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
    let worker = await newWorker();
    for (let i = taken++; i < jobs.length && performance.now() < end; i = taken++) {
      const result = await runOn(worker, jobs[i]!);
      if (typeof result === 'string') {
        await worker.terminate();
        worker = await newWorker();
      }
      results[i] = typeof result === 'string' ? failedSeed(jobs[i]!, result) : result;
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

async function newWorker(): Promise<Worker> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  await once(worker, 'online');
  return worker;
}

/** Runs one seed on the worker. If the seed hangs, says how instead; the worker must then be ended. */
async function runOn(worker: Worker, job: SeedJob): Promise<WorldResult | string> {
  const watch = new HangWatch(await cpuMsOf(worker));
  const over = new AbortController();
  const result = once(worker, 'message').then(([value]): WorldResult => value);
  worker.postMessage(job);
  return Promise.race([result, hangOf(worker, watch, over.signal)]).finally(() => over.abort());
}

async function hangOf(worker: Worker, watch: HangWatch, signal: AbortSignal): Promise<string> {
  for (;;) {
    await setTimeout(LOOK_MS, undefined, { signal });
    const hang = watch.look(await cpuMsOf(worker));
    if (hang !== undefined) return hang;
  }
}

async function cpuMsOf(worker: Worker): Promise<number> {
  const { user, system } = await worker.cpuUsage();
  return (user + system) / 1000;
}
