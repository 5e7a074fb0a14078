// Goal: a worker waits for its parts to be taken, but never for ever. Method: both ends of a control, one of them in a worker.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { JobControl } from './job-control.ts';

/** A worker that makes parts without end, at most two of them untaken, and reports when it was stopped. */
function startWorker(control: JobControl): Worker {
  const program = `
    import { parentPort, workerData } from 'node:worker_threads';
    const { JobControl } = await import(workerData.module);
    const control = new JobControl(workerData.cell);
    for (let made = 1; !control.isStopped; made++) {
      parentPort.postMessage(made);
      control.waitForRoom(made, 2);
    }
    parentPort.postMessage('stopped');`;
  const module = new URL('./job-control.ts', import.meta.url).href;
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  return new Worker(url, { workerData: { module, cell: control.cell } });
}

test('a worker is at most two parts ahead of those taken, until it is stopped', async () => {
  const control = new JobControl();
  const worker = startWorker(control);
  let made = 0;
  const messages: unknown[] = [];
  worker.on('message', (message) => messages.push(message));
  for (let taken = 0; taken < 5; taken++) {
    while (messages.length === 0) await once(worker, 'message');
    made = messages.shift() as number;
    assert.ok(made <= taken + 2, `${made} made, ${taken} taken`);
    control.took();
  }
  control.stop();
  control.took();
  assert.equal(control.isStopped, true, 'a part taken afterwards does not start it again');
  while (messages.at(-1) !== 'stopped') await once(worker, 'message');
  await worker.terminate();
});
