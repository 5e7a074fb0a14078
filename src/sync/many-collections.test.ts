/**
 * Goal: a session's work for one collection does not grow with the number of the others. Method: two pure sessions over real
 * engines; their requests to the engines are counted, with some collections and with twice as many.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import type { Replica } from '../database/replica/index.ts';
import type { Message } from '../net/messages/index.ts';
import { Meeting, meet, openReplica } from './test-meeting.ts';

function filled(collections: number): Replica {
  const replica = openReplica(1);
  for (let n = 0; n < collections; n++)
    replica.write([{ writes: [{ collection: `c${n}` as CollectionName, key: 'k' as DocumentKey, value: '{}' }] }]);
  return replica;
}

/** How often the sessions looked at a single collection, in both engines, until both held the same. */
function looks(collections: number): number {
  const [a, b] = [filled(collections), openReplica(2)];
  let asked = 0;
  for (const replica of [a, b]) {
    const collection = replica.collection.bind(replica);
    replica.collection = (name) => {
      asked++;
      return collection(name);
    };
  }
  meet(a, b, {});
  assert.equal(b.collectionCount, collections);
  return asked;
}

test('twice as many collections take twice the work', () => {
  const [some, twice] = [looks(150), looks(300)];
  assert.ok(twice < 2.2 * some, `${some} and ${twice} looks at collections`);
});

test('a session fetches a bounded number of collections at a time, and then the others', () => {
  const [a, b] = [filled(30), openReplica(2)];
  let wants = 0;
  meet(a, b, { roundsMax: 4 }, (_from, message: Message) => {
    if (message.kind === 'want') wants++;
    if (message.kind !== 'claim') return undefined;
    return { ...message, collections: message.collections.map((claimed) => ({ ...claimed, complete: false })) };
  });
  assert.equal(wants, 4, 'none of which came to its end');
  meet(a, b, { roundsMax: 4 });
  assert.equal(b.collectionCount, 30);
});

test('for more collections than one message holds, summary and answer come in parts, and only what differs is fetched', () => {
  const messageEntriesMax = 8;
  const [a, b] = [filled(30), openReplica(2)];
  const wanted: CollectionName[] = [];
  const meetInParts = (): void =>
    meet(a, b, { messageEntriesMax }, (_from, message: Message) => {
      if (message.kind === 'want') wanted.push(message.collection);
      if (message.kind === 'summary' || message.kind === 'differ')
        assert.ok(message.collections.length < messageEntriesMax);
      return undefined;
    });
  meetInParts();
  assert.equal(b.collectionCount, 30);
  wanted.length = 0;
  a.write([{ writes: [{ collection: 'c21' as CollectionName, key: 'new' as DocumentKey, value: '{}' }] }]);
  meetInParts();
  assert.deepEqual([...new Set(wanted)], ['c21']);
});

test('a claim repeats nothing that the peer has just said itself', () => {
  const [a, b] = [filled(10), openReplica(2)];
  for (let life = 0; life < 50; life++) {
    a.takeNewLife('test', 'plain');
    for (const { name } of [...a.collections()])
      a.write([{ writes: [{ collection: name, key: `k${life}` as DocumentKey, value: '{}' }] }]);
  }
  meet(a, b, {});
  for (const { name } of [...a.collections()])
    b.write([{ writes: [{ collection: name, key: 'new' as DocumentKey, value: '{}' }] }]);
  let entries = 0;
  meet(a, b, {}, (_from, message: Message) => {
    if (message.kind === 'claim') for (const { knowledge } of message.collections) entries += knowledge.size;
    return undefined;
  });
  for (const state of a.collections()) assert.deepEqual(b.collection(state.name).knowledge, state.knowledge);
  assert.ok(entries <= 10 * 4, `${entries} entries of knowledge`);
});

test('the writes of many lives of a node share messages', () => {
  const [a, b] = [filled(1), openReplica(2)];
  for (let life = 0; life < 100; life++) {
    a.takeNewLife('test', 'plain');
    a.write([{ writes: [{ collection: 'c0' as CollectionName, key: `k${life}` as DocumentKey, value: '{}' }] }]);
  }
  let messages = 0;
  meet(a, b, {}, (_from, message: Message) => {
    if (message.kind === 'versions') messages++;
    return undefined;
  });
  const c0 = 'c0' as CollectionName;
  assert.deepEqual(b.collection(c0).fingerprint, a.collection(c0).fingerprint);
  assert.ok(messages <= 12, `${messages} messages`);
});

test('collections that are dropped and wanted again while they are synchronised come back complete', () => {
  const names = Array.from({ length: 20 }, (_, n) => `c${n}` as CollectionName);
  const [a, b] = [openReplica(1), openReplica(2)];
  for (let round = 0; round < 20; round++) {
    for (const collection of names)
      a.write([{ writes: [{ collection, key: `k${round}` as DocumentKey, value: '{}' }] }]);
    const cut = new Meeting(a, b);
    for (let messages = 0; messages < 10 + round; messages++) cut.carry();
    cut.close();
    b.evictions.begin(names[round]!);
    while (!b.evictions.dropRows(names[round]!, 3));
    b.setWanted(names[round]!, true);
  }
  meet(a, b, {});
  for (const name of names) {
    assert.equal(b.collection(name).documents, 20);
    assert.deepEqual(b.collection(name).fingerprint, a.collection(name).fingerprint);
  }
});
