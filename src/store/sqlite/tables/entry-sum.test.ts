/**
 * Goal: a document with many entries is entered as one with few. Method: random keys and values, of which the sums of many entries
 * are compared with those of single ones; a document with thousands of items that change.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCollectionName } from '../../../core/ids/index.ts';
import { parseIndex, parseQuery } from '../../../core/query/index.ts';
import { sampleDocument } from '../../../testing/index.ts';
import type { StoredDocument } from '../../store.ts';
import { openInFolder, withFolder } from '../test-folder.ts';
import { entrySum, entrySums } from './entry-sum.ts';

const C = parseCollectionName('c');

function itemsOf(key: string, pos: number, from: number): StoredDocument {
  const tags = Array.from({ length: 5000 }, (_, i) => from + i);
  return sampleDocument({ collection: C, key, pos, versions: [{ seq: pos, value: JSON.stringify({ tags }) }] });
}

test('the sums of many entries of a document equal those of each entry by itself', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 200 });
  const hex = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('hex').toUpperCase());
  fc.assert(
    fc.property(
      text,
      text,
      fc.array(hex, { minLength: 1, maxLength: 20 }),
      fc.nat({ max: 200 }),
      (key, value, k, count) => {
        const sumOf = entrySums(key, value, count);
        for (const each of k) assert.equal(sumOf(each), entrySum(each, key, value));
      },
    ),
  );
});

test('a document with thousands of items has the right entries, before and after it changes', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    const isHeld = (tag: number): boolean => store.count(C, parseQuery({ 'tags[]': tag })) === 1;
    store.commit({ documents: [itemsOf('built', 1, 0)] });
    store.addIndex(C, parseIndex('tags[]'));
    while (store.workOnIndexes());
    store.commit({ documents: [itemsOf('written', 2, 10_000)] });
    assert.deepEqual([0, 4999, 5000, 10_000, 14_999].map(isHeld), [true, true, false, true, true]);
    store.commit({ documents: [itemsOf('built', 3, 20_000), itemsOf('written', 4, 10_001)] });
    assert.deepEqual([0, 4999, 10_000, 15_000, 24_999].map(isHeld), [false, false, false, true, true]);
    for await (const damage of store.checkIntegrity()) if (damage.kind === 'index') assert.fail(damage.problem);
    await store.close();
  }));
