/**
 * Goal: the ground truth of the simulator says neither too much nor too little is lost when disks fail. Method: two nodes on a
 * stage, writes that the test itself records, and the faults of disks one by one; then the verdict over the final state.
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

/** A world of two connected nodes in which `a` wrote a document that both hold for good. */
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
    return history.record({ collection: STOCK, key: KEY, author: a.key, transaction: 0, seen, written: written! });
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

test('a delete that nobody was told of but the disk kept has happened, even after all have forgotten it', async () => {
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

test('a delete that the crash took excuses nothing that is gone afterwards', async () => {
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

test('what a disk held for good and lacks after a crash is told, unless two lives gave it one name', async () => {
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
