/**
 * Goal: the log holds the newest entries that were committed, and never more than its bound, also after drafts that were dropped,
 * commits that failed or were lost, and restarts. Method: random drafts on a memory store against a list of the test.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../../testing/index.ts';
import { BoundedLog } from './bounded-log.ts';

const SIZE_MAX = 3;
const SEEDS = 50;

test('it holds the newest committed entries, whatever drafts were dropped, refused or lost', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = createSeededRandom(seed);
    const clock = createManualClock();
    let { replica, store } = openMemoryReplica({ clock, random });
    let log = new BoundedLog(replica, 'quarantine', SIZE_MAX);
    let [expected, durable]: [number[], number[]] = [[], []];
    for (let nth = 1; nth <= 60; nth++) {
      const draft = replica.draft();
      const added = Array.from({ length: random.integer(1, 2 * SIZE_MAX) }, (_, i) => 100 * nth + i);
      for (const n of added) log.append(draft, { n });
      const outcome = random.pick(['committed', 'committed', 'dropped', 'refused', 'lost', 'restarted']);
      if (outcome === 'refused') {
        store.failCommits(1);
        assert.throws(() => replica.commit(draft, 'own'), { reason: 'DISK_FULL' });
      } else if (outcome !== 'dropped') {
        replica.commit(draft, 'own');
        log.committed(draft);
        expected = [...expected, ...added].slice(-SIZE_MAX);
      }
      if (outcome === 'lost') {
        store.failFlushes(1);
        await assert.rejects(replica.flush());
        expected = durable;
      } else if (random.chance(0.5)) {
        await replica.flush();
        durable = expected;
      }
      if (outcome === 'restarted') {
        ({ replica, store } = openMemoryReplica({ clock, random, store: store.crash() }));
        log = new BoundedLog(replica, 'quarantine', SIZE_MAX);
        expected = durable;
      }
      const held = store.entries('quarantine', 0, 1000).map(({ data }) => JSON.parse(data).n);
      assert.deepEqual(held, expected, `seed ${seed}, draft ${nth}, ${outcome}`);
    }
  }
});
