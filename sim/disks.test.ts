/**
 * Goal: when disks fail, the simulator's ground truth counts neither too much nor too little as lost. Method: two nodes on
 * a stage, writes that the test itself records, disk faults one at a time, then the verdict on the final state.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentKey } from '../src/core/ids/index.ts';
import { createSeededRandom } from '../src/testing/index.ts';
import { Disks } from './disks.ts';
import { History } from './history.ts';
import { versionsOf } from './holdings.ts';
import { STOCK, Stage } from './scenarios/stage.ts';
import type { TrueWrite } from './true-write.ts';

const KEY = 'k' as DocumentKey;

/** A world of two connected nodes in which `a` wrote a document that is durable on both. */
async function worldOfTwo(isAmbiguous = false) {
  const stage = new Stage();
  const history = new History();
  const problems: string[] = [];
  const scene = { cluster: stage.cluster, history, collections: [STOCK], keys: [KEY] };
  const disks = new Disks(
    scene,
    createSeededRandom(1),
    () => isAmbiguous,
    (problem) => void problems.push(problem),
  );
  const [a, b] = [stage.node(), stage.node()];
  const write = (value: object | null): TrueWrite => {
    const seen = versionsOf(a.replica, STOCK, KEY);
    stage.put(a, KEY, value);
    const [written] = versionsOf(a.replica, STOCK, KEY);
    const place = { collection: STOCK, key: KEY, author: a.key, disk: 0, transaction: 0 };
    return history.record({ ...place, seen, replaced: seen[0]?.value ?? null, written: written! });
  };
  const verdict = (): string[] => {
    const held = [a, b].flatMap((node) => versionsOf(node.replica, STOCK, KEY)).filter(({ value }) => value !== null);
    const visible = new Set(held.map((version) => history.idOf(version)!));
    const findings = history.verdict(visible, [a, b]);
    return [...problems, ...findings.map((finding) => `${finding.kind} #${finding.write.id}`)];
  };
  const document = write({ n: 1 });
  await stage.meet(a, b);
  document.isAcknowledged = true;
  return { stage, disks, a, b, write, verdict };
}

test('a delete that was never acknowledged but survived on disk counts as made, even after every node has purged it', async () => {
  const { stage, disks, a, b, write, verdict } = await worldOfTwo();
  write(null);
  const durable = a.replica.flush();
  await stage.cluster.advance(10);
  await durable;
  disks.crash(a);
  disks.start(a);
  await stage.meet(a, b);
  for (const node of [a, b]) stage.purge(node);
  await stage.cluster.advance(10);
  disks.wipe(a);
  disks.crash(a);
  assert.deepEqual(verdict(), []);
});

test('a delete that was lost in the crash does not excuse a document that is missing afterwards', async () => {
  const { stage, disks, a, b, write, verdict } = await worldOfTwo();
  const gone = write(null);
  disks.crash(a);
  assert.equal(gone.isUndone, true);
  stage.delete(b, KEY);
  stage.purge(b);
  disks.start(a);
  await stage.meet(a, b);
  assert.deepEqual(verdict(), ['lost #0']);
});

test('a write that was durable and is missing after a crash is reported, unless two lives used its dot', async () => {
  for (const isAmbiguous of [false, true]) {
    const { stage, disks, a, write, verdict } = await worldOfTwo(isAmbiguous);
    const before = a.image();
    const second = write({ n: 2 });
    disks.look(a);
    await stage.cluster.advance(10);
    stage.rollBack(a, before);
    disks.crash(a);
    const isTold = verdict().some(
      (problem) => problem.startsWith('lost in a crash') && problem.includes(`#${second.id} `),
    );
    assert.equal(isTold, !isAmbiguous);
  }
});
