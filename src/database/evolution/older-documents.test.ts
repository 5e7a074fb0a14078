// Goal: OlderDocuments answers "none" only while it is true. Method: commits before and during a lookup.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName } from '../../core/ids/index.ts';
import { sampleDocument } from '../../testing/index.ts';
import { OlderDocuments } from './index.ts';

const C = 'c' as CollectionName;
const OLD = sampleDocument({ key: 'old', pos: 1, versions: [{ seq: 1, value: '{"n":1}' }] });
const NEW = sampleDocument({ key: 'new', pos: 2, versions: [{ seq: 2, value: '{"$v":2,"n":1}' }] });
const FOUND = [{ key: OLD.key, value: OLD.value! }];
const mustNotAsk = (): never => assert.fail('it is known');

test('an answer is remembered until a commit brings an older document', async () => {
  const older = new OlderDocuments();
  await older.lookFor(C, 2, async () => []);
  assert.equal(older.has(C, 2, mustNotAsk), false);
  older.committed([NEW]);
  assert.equal(older.has(C, 2, mustNotAsk), false);
  older.committed([OLD]);
  assert.equal(
    older.has(C, 2, () => FOUND),
    true,
  );
});

test('an older document committed during a lookup is not overlooked', async () => {
  const older = new OlderDocuments();
  const { promise, resolve } = Promise.withResolvers<never[]>();
  const looking = older.lookFor(C, 2, () => promise);
  older.committed([OLD]);
  resolve([]);
  await looking;
  assert.equal(
    older.has(C, 2, () => FOUND),
    true,
  );
});

test('if older documents were found, the next commit to the collection makes it look again', async () => {
  const older = new OlderDocuments();
  await older.lookFor(C, 2, async () => FOUND);
  assert.equal(older.has(C, 2, mustNotAsk), true);
  older.committed([NEW]);
  assert.equal(
    older.has(C, 2, () => []),
    false,
  );
  assert.equal(older.has(C, 0, mustNotAsk), false, 'without migrations nothing is older');
});
