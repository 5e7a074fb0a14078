/**
 * Goal: no false alarms. Two nodes under load are healthy at every look from their first second on, and never report
 * otherwise by themselves. Method: real processes that write, read, delete and back up for 15 s, in torture for 10 minutes.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSeededRandom, type SeededRandom } from '../../src/testing/index.ts';
import { areEqual, eventually, HUNG_MS, makeFolder, NodeProcess, pause, SCALE, writeToken } from './node-process.ts';

const SECONDS = 15 * SCALE;
const KEYS = 2000;
const WRITERS = 3;
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? Date.now() % 1_000_000);

test(`two nodes under load for ${SECONDS} s are healthy all the time`, {
  timeout: HUNG_MS,
}, async (t) => {
  t.diagnostic(`seed ${SEED} (ENTGLDB_TEST_SEED)`);
  const random = createSeededRandom(SEED);
  const folder = await makeFolder(t);
  const tokenFile = await writeToken(folder);
  const settings = {
    Health: { IntervalSeconds: 2, ScrubMegabytesPerSecond: 20 },
    Persistence: { BackupPath: 'backups', BackupIntervalMinutes: 1 },
  };
  const a = await NodeProcess.start(t, { folder: join(folder, 'a'), name: 'a', tokenFile, settings });
  const peers = [a.address];
  const b = await NodeProcess.start(t, { folder: join(folder, 'b'), name: 'b', tokenFile, settings, peers });
  const nodes = [a, b];
  const ending = new AbortController();
  const load = nodes.flatMap((node) => Array.from({ length: WRITERS }, () => work(node, random.fork(), ending.signal)));
  let looks = 0;
  const end = performance.now() + SECONDS * 1000;
  try {
    while (performance.now() < end) {
      for (const node of nodes) {
        const { state, checks } = await node.health();
        const unwell = checks.filter((check) => check.state !== 'healthy');
        assert.equal(state, 'healthy', `${node.ready.nodeId}: ${JSON.stringify(unwell)}`);
        looks++;
      }
      await pause(200);
    }
  } finally {
    ending.abort();
    await Promise.allSettled(load);
  }
  const operations = (await Promise.all(load)).reduce((sum, count) => sum + count, 0);
  await eventually('the nodes are equal', () => areEqual(nodes));
  for (const node of nodes) {
    const alarms = node.log.filter(
      ({ check, level }) => check !== undefined || level === 'Error' || level === 'Critical',
    );
    assert.deepEqual(alarms, [], `${node.ready.nodeId} said so unasked`);
  }
  t.diagnostic(`${looks} looks, ${operations} operations`);
});

/** Works until the signal; resolves with the number of operations done. */
async function work(node: NodeProcess, random: SeededRandom, signal: AbortSignal): Promise<number> {
  const documents = node.collection('c');
  let done = 0;
  while (!signal.aborted) {
    const key = `k${random.integer(0, KEYS - 1)}`;
    const dice = random.next();
    if (dice < 0.6) await documents.put(key, { n: done, pad: 'x'.repeat(random.integer(0, 2000)) });
    else if (dice < 0.9) await documents.get(key);
    else await documents.delete(key);
    done++;
    await pause(random.integer(0, 10));
  }
  return done;
}
