/**
 * Goal: `kill -9` at any moment under load loses no acknowledged write (I3), and a restart takes seconds. Method: several
 * writers write to a real node while a peer syncs with it. The node is killed at random moments of its start, its work or
 * its stop, again and again, on one database. The test keeps a ledger: for each key the state that was acknowledged last,
 * and those sent after it without an answer, each of which may or may not have happened.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createSeededRandom, type SeededRandom } from '../../src/testing/index.ts';
import { areEqual, eventually, HUNG_MS, makeFolder, NodeProcess, pause, SCALE, writeToken } from './node-process.ts';
import { readLedger, WriteLedger, writeUntilGone } from './write-ledger.ts';

const ROUNDS = 10 * SCALE;
const WRITERS = 4;
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? Date.now() % 1_000_000);

for (const durability of ['full', 'normal'] as const) {
  test(`after ${ROUNDS} times kill -9 under load, durability ${durability}, every acknowledged write is there`, {
    timeout: HUNG_MS,
  }, async (t) => {
    const seed = SEED + (durability === 'full' ? 0 : 1);
    t.diagnostic(`seed ${seed} (ENTGLDB_TEST_SEED)`);
    await killAgainAndAgain(t, durability, createSeededRandom(seed));
  });
}

async function killAgainAndAgain(t: TestContext, durability: string, random: SeededRandom): Promise<void> {
  const folder = await makeFolder(t);
  const tokenFile = await writeToken(folder);
  const peer = await NodeProcess.start(t, { folder: join(folder, 'peer'), name: 'peer', tokenFile });
  const options = {
    folder: join(folder, 'victim'),
    name: 'victim',
    tokenFile,
    peers: [peer.address],
    settings: { Persistence: { Durability: durability } },
  };
  const ledger = new WriteLedger();
  const counter = { next: 1 };
  const startsMs: number[] = [];
  let replica: string | undefined;
  for (let round = 1; round <= ROUNDS; round++) {
    const when = `round ${round}`;
    const node = await NodeProcess.start(t, options);
    startsMs.push(node.startMs);
    const status = await node.status();
    assert.equal(status.replica, replica ?? status.replica, `${when}: a crash is no copy, the replica id stays`);
    assert.deepEqual(status.notices, [], when);
    replica = status.replica;
    ledger.check(await readLedger(node), when);
    const ending = new AbortController();
    const writers = Array.from({ length: WRITERS }, (_, i) =>
      writeUntilGone(node, i, ledger, counter, random.fork(), ending.signal),
    );
    await pause(random.integer(5, 700));
    // Now and then the kill hits a node that is already stopping.
    if (random.chance(0.2)) {
      node.signal('SIGTERM');
      await pause(random.integer(0, 60));
    }
    const killed = node.kill();
    ending.abort();
    await Promise.all([killed, ...writers]);
    if (random.chance(0.3)) await killWhileStarting(t, options, random);
  }
  const node = await NodeProcess.start(t, options);
  ledger.check(await readLedger(node), 'at the end');
  await eventually('victim and peer are equal', () => areEqual([node, peer]));
  ledger.check(await readLedger(peer), 'at the peer');
  assert.deepEqual((await peer.status()).notices, []);
  assert.equal(await node.stop(), 0);
  t.diagnostic(
    `${ledger.acknowledged} acknowledged writes; ready after at most ${Math.round(Math.max(...startsMs))} ms`,
  );
  assert.ok(Math.max(...startsMs) < 10_000, 'ready within seconds');
}

/** Starts a node and kills it somewhere between its first line of code and its first answer. */
async function killWhileStarting(
  t: TestContext,
  options: Parameters<typeof NodeProcess.start>[1],
  random: SeededRandom,
): Promise<void> {
  const delayMs = random.integer(50, 600);
  await NodeProcess.startAndKill(t, options, delayMs);
}
