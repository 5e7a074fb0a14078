/**
 * Goal: a node that was off while the others made 10,000 writes and 1,000 deletes catches up, keeps its own unsent writes,
 * and shows no deleted document, even if the tombstones were purged meanwhile (R4, R5, R7). Method: three real processes.
 * One writes while it is off the network, is killed and stays off. To purge, the others run for a moment with a clock ten
 * days ahead; their files then show that the tombstones are gone.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import {
  areEqual,
  eventually,
  HUNG_MS,
  makeFolder,
  NodeProcess,
  SCALE,
  type StartOptions,
  shiftedClock,
  writeToken,
} from './node-process.ts';

const DOCUMENTS = 5000;
const NEW_DOCUMENTS = 6000 * SCALE;
const UPDATED = { from: 1000, to: DOCUMENTS - 1000 };
const DELETED = { from: 0, to: 1000 };
const TEN_DAYS_MS = 10 * 24 * 3600 * 1000;
const BATCH = 500;

for (const isPurged of [false, true]) {
  test(
    `a node that was off for long catches up${isPurged ? ' after the tombstones were purged' : ''}`,
    {
      timeout: HUNG_MS,
    },
    (t) => catchUp(t, isPurged),
  );
}

async function catchUp(t: TestContext, isPurged: boolean): Promise<void> {
  const folder = await makeFolder(t);
  const tokenFile = await writeToken(folder);
  const optionsOf = (name: string, ...peers: NodeProcess[]): StartOptions => ({
    folder: join(folder, name),
    name,
    tokenFile,
    peers: peers.map(({ address }) => address),
  });
  let a = await NodeProcess.start(t, optionsOf('a'));
  let b = await NodeProcess.start(t, optionsOf('b', a));
  let c = await NodeProcess.start(t, optionsOf('c', a, b));
  await put(a, 0, DOCUMENTS, 'first');
  await eventually('all have the beginning', () => areEqual([a, b, c]));

  await c.setNetworkPaused(true);
  await put(c, 990, 1010, 'by c, unsent');
  await put(c, 2000, 2010, 'by c, unsent');
  await remove(c, DOCUMENTS - 10, DOCUMENTS);
  await put(c, 100_000, 100_050, 'by c, unsent');
  await c.kill();

  await Promise.all([put(a, UPDATED.from, UPDATED.to, 'second'), put(b, 10_000, 10_000 + NEW_DOCUMENTS, 'second')]);
  await remove(a, DELETED.from, DELETED.to / 2);
  await remove(b, DELETED.to / 2, DELETED.to);
  await eventually('a and b are equal', () => areEqual([a, b]));
  if (isPurged) {
    // The claims after the last versions take a moment; what is not claimed is not known, and so is not purged.
    for (const node of [a, b]) await eventually('its writes are claimed', () => isClaimed(node));
    await Promise.all([a.stop(), b.stop()]);
    for (const name of ['a', 'b']) await purge(t, optionsOf(name));
    a = await NodeProcess.start(t, optionsOf('a'));
    b = await NodeProcess.start(t, optionsOf('b', a));
  }

  c = await NodeProcess.start(t, optionsOf('c', a, b));
  const ms = await eventually('all three are equal', () => areEqual([a, b, c]), 60_000);
  t.diagnostic(`caught up ${Math.round(ms)} ms after it was ready`);
  for (const node of [a, b, c]) await checkAll(node);
  const { notices } = await c.status();
  assert.deepEqual(notices, [], 'nobody takes it for a copy');
}

/** Checks what every node must show in the end: independent writes both count, and a write survives a concurrent delete. */
async function checkAll(node: NodeProcess): Promise<void> {
  const found = new Map<number, string>();
  for await (const [key, value] of node.collection('c').entries()) found.set(Number(key.slice(1)), String(value.text));
  const { nodeId } = node.ready;
  for (let i = DELETED.from; i < DELETED.to; i++) {
    const survivor = i >= 990 ? 'by c, unsent' : undefined;
    assert.equal(found.get(i), survivor, `${nodeId}: k${i} was deleted`);
  }
  for (let i = UPDATED.from; i < UPDATED.to; i++) {
    const isConcurrent = (i >= 1000 && i < 1010) || (i >= 2000 && i < 2010);
    if (isConcurrent) assert.ok(['second', 'by c, unsent'].includes(found.get(i)!), `${nodeId}: k${i}`);
    else assert.equal(found.get(i), 'second', `${nodeId}: k${i}`);
  }
  for (let i = DOCUMENTS - 10; i < DOCUMENTS; i++)
    assert.equal(found.get(i), undefined, `${nodeId}: k${i}, deleted by c`);
  for (let i = 100_000; i < 100_050; i++) assert.equal(found.get(i), 'by c, unsent', `${nodeId}: k${i}`);
  assert.equal(found.size, DOCUMENTS - 990 - 10 + NEW_DOCUMENTS + 50);
}

/** Whether another node says that it knows all writes of this one. */
async function isClaimed(node: NodeProcess): Promise<boolean> {
  const { pending } = (await node.client.json({ method: 'GET', path: '/api/v1/unsynced' })) as { pending: unknown[] };
  return pending.length === 0;
}

/** Runs the node until it has purged its tombstones. */
async function purge(t: TestContext, options: StartOptions): Promise<void> {
  const node = await NodeProcess.start(t, { ...options, peers: [], env: shiftedClock(options.folder, TEN_DAYS_MS) });
  const path = join(options.folder, 'entgldb.db');
  assert.equal(await node.collection('c').count(), DOCUMENTS - 1000 + NEW_DOCUMENTS);
  await eventually('the tombstones are purged', () => rows(path) === DOCUMENTS - 1000 + NEW_DOCUMENTS);
  assert.equal(await node.stop(), 0);
}

function rows(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return Number(db.prepare('SELECT count(*) AS n FROM doc').get()!.n);
  } finally {
    db.close();
  }
}

async function put(node: NodeProcess, from: number, to: number, text: string): Promise<void> {
  for (let first = from; first < to; first += BATCH) {
    const length = Math.min(BATCH, to - first);
    await node.collection('c').putMany(Array.from({ length }, (_, i) => [`k${first + i}`, { text, i: first + i }]));
  }
}

async function remove(node: NodeProcess, from: number, to: number): Promise<void> {
  const keys = Array.from({ length: to - from }, (_, i) => `k${from + i}`);
  const worker = async (): Promise<void> => {
    for (let key = keys.pop(); key !== undefined; key = keys.pop()) assert.ok(await node.collection('c').delete(key));
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}
