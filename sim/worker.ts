// A thread of the pool: runs each seed that it is sent, and sends back the result.
import { parentPort } from 'node:worker_threads';
import { runSeed, type SeedJob } from './run-seed.ts';

parentPort?.on('message', (job: SeedJob) => {
  runSeed(job).then((result) => parentPort?.postMessage(result));
});
