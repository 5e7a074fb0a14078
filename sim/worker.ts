// A thread of the pool: runs each seed that it is sent, and sends back the result.
import { parentPort } from 'node:worker_threads';
import { runSeed, type SeedJob } from './run-seed.ts';

const STACK_LINES = Error.stackTraceLimit;

/**
 * Disks that refuse and rows that cannot be read throw thousands of errors in a world, and noting where each comes from is a
 * twentieth of the work. A seed with problems runs a second time, for their stacks.
 */
parentPort?.on('message', async (job: SeedJob) => {
  Error.stackTraceLimit = 0;
  const result = await runSeed(job);
  Error.stackTraceLimit = STACK_LINES;
  parentPort?.postMessage(result.problems.length === 0 ? result : await runSeed(job));
});
