/**
 * Goal: after a start, the heads of the conflict ledger are those of its entries, and few entries are read for them. Method: random
 * drafts on a memory store against a list of the test, also by a release that wrote no blocks.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName } from '../../../core/ids/index.ts';
import type { Entry } from '../../../store/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../../../testing/index.ts';
import { type LedgerHead, LedgerHeads } from './ledger-heads.ts';

const SEEDS = 60;
const UNFINISHED_MAX = 31;

test('the heads are those of the entries, whatever was added, forgotten or written without blocks', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = createSeededRandom(seed);
    const hasOldRelease = seed % 2 === 0;
    const sizeMax = random.pick([1, 10, 31, 32, 33, 100, 500]);
    let { replica, store } = openMemoryReplica({ clock: createManualClock(), random });
    const kept: LedgerHead[] = [];
    for (let nth = 1; nth <= 60; nth++) {
      const heads = new LedgerHeads(store, () => assert.fail('only reading needs it'));
      const hasBlocks = !hasOldRelease || random.chance(0.5);
      const draft = replica.draft();
      for (let i = random.integer(0, 40); i > 0; i--) {
        const id = (kept.at(-1)?.id ?? 0) + 1;
        const head = { id, lived: nth, characters: id % 7, collection: 'c' as CollectionName, write: `r:${id}` };
        kept.push(head);
        draft.entry({ space: 'conflicts', id, data: JSON.stringify(head) });
        if (hasBlocks) heads.added(draft, kept);
      }
      while (kept.length > sizeMax) {
        const [oldest] = kept.splice(0, 1);
        draft.entry({ space: 'conflicts', id: oldest!.id, data: null });
        heads.forgotten(draft, oldest!.id);
      }
      replica.commit(draft, 'own');
      if (random.chance(0.1)) {
        await replica.flush();
        ({ replica, store } = openMemoryReplica({ clock: createManualClock(), random, store: store.crash() }));
      }
      let read = 0;
      const headOf = ({ data }: Entry): LedgerHead => {
        read++;
        return JSON.parse(data);
      };
      assert.deepEqual([...new LedgerHeads(store, headOf).read()], kept, `seed ${seed}, draft ${nth}`);
      if (!hasOldRelease) assert.ok(read <= UNFINISHED_MAX, `${read} entries were read`);
      const blocks = store.entries('conflict-heads', 0, 1000).length;
      assert.ok(blocks <= kept.length / 32 + 1, `${blocks} blocks for ${kept.length} entries`);
    }
  }
});
