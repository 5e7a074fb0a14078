/**
 * Goal: `kill -9` at any moment under load loses no acknowledged write (I3), and a restart is a matter of seconds. Method: a real
 * node, with a peer that syncs with it all the time, is written to by several writers at once and killed at a random moment of
 * its start, its work or its stop, again and again, on one database. The parent keeps the ledger: for each key the state that
 * was acknowledged last, and those that were sent after it and not answered, each of which may or may not have happened.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createSeededRandom, type SeededRandom } from '../../src/testing/index.ts';
import { areEqual, eventually, makeFolder, NodeProcess, pause, SCALE, writeToken } from './node-process.ts';

const ROUNDS = 10 * SCALE;
const WRITERS = 4;
const KEYS_PER_WRITER = 40;
const BATCH = 25;
const PAD = 'x'.repeat(300);
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? Date.now() % 1_000_000);

/** What a read of a key may find: the number of a write, or null where there shall be no document. */
type State = number | null;

class Ledger {
  readonly #possible = new Map<string, State[]>();
  acknowledged = 0;

  /** Before it is sent. */
  begin(key: string, state: State): void {
    this.#possible.set(key, [...(this.#possible.get(key) ?? [null]), state]);
  }

  /** After the answer: what came before it can no longer be read. */
  confirm(key: string, state: State): void {
    const states = this.#possible.get(key)!;
    this.#possible.set(key, states.slice(states.lastIndexOf(state)));
    this.acknowledged++;
  }

  /** What is there now is what later reads must find. */
  check(found: ReadonlyMap<string, number>, when: string): void {
    for (const key of found.keys()) assert.ok(this.#possible.has(key), `${when}: ${key} was never written`);
    for (const [key, possible] of this.#possible) {
      const state = found.get(key) ?? null;
      assert.ok(possible.includes(state), `${when}: ${key} is ${state}, the ledger allows ${possible.join(' or ')}`);
      this.#possible.set(key, [state]);
    }
  }
}

for (const durability of ['full', 'normal'] as const) {
  test(`${ROUNDS} times kill -9 under load, durability ${durability}: every acknowledged write is there`, {
    timeout: 120_000 * SCALE,
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
  const ledger = new Ledger();
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
    ledger.check(await readAll(node), when);
    const ending = new AbortController();
    const writers = Array.from({ length: WRITERS }, (_, i) =>
      write(node, i, ledger, counter, random.fork(), ending.signal),
    );
    await pause(random.integer(5, 700));
    // Now and then the blow meets a node that is already stopping.
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
  ledger.check(await readAll(node), 'at the end');
  await eventually('victim and peer are equal', () => areEqual([node, peer]));
  ledger.check(await readAll(peer), 'at the peer');
  assert.deepEqual((await peer.status()).notices, []);
  assert.equal(await node.stop(), 0);
  t.diagnostic(
    `${ledger.acknowledged} acknowledged writes; ready after at most ${Math.round(Math.max(...startsMs))} ms`,
  );
  assert.ok(Math.max(...startsMs) < 10_000, 'ready within seconds');
}

/** Dies somewhere between its first line of code and its first answer. */
async function killWhileStarting(
  t: TestContext,
  options: Parameters<typeof NodeProcess.start>[1],
  random: SeededRandom,
): Promise<void> {
  const delayMs = random.integer(50, 600);
  await NodeProcess.startAndKill(t, options, delayMs);
}

/** Writes, deletes and imports, one after the other, until the node is gone. */
async function write(
  node: NodeProcess,
  writer: number,
  ledger: Ledger,
  counter: { next: number },
  random: SeededRandom,
  signal: AbortSignal,
): Promise<void> {
  const documents = node.collection('ledger');
  const keyOf = (i: number): string => `w${writer}-${i}`;
  try {
    while (!signal.aborted) {
      if (random.chance(0.1)) {
        const first = random.integer(0, KEYS_PER_WRITER - BATCH);
        const batch = Array.from({ length: BATCH }, (_, i) => [keyOf(first + i), counter.next++] as const);
        for (const [key, n] of batch) ledger.begin(key, n);
        await documents.putMany(batch.map(([key, n]) => [key, { n, pad: PAD }]));
        for (const [key, n] of batch) ledger.confirm(key, n);
        continue;
      }
      const key = keyOf(random.integer(0, KEYS_PER_WRITER - 1));
      const state = random.chance(0.2) ? null : counter.next++;
      ledger.begin(key, state);
      if (state === null) await documents.delete(key);
      else await documents.put(key, { n: state, pad: PAD });
      ledger.confirm(key, state);
    }
  } catch (error) {
    // The connection broke with the node. Anything the node itself answered would be a failure of its own.
    const { reason } = error as { reason?: string };
    if (reason !== 'NODE_UNREACHABLE' && reason !== 'DATABASE_CLOSED') throw error;
  }
}

async function readAll(node: NodeProcess): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const [key, value] of node.collection('ledger').entries()) found.set(key, value.n as number);
  return found;
}
