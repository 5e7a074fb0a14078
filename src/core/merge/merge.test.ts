/**
 * Goal: the laws of field-level merge. Method: a few replicas write and exchange versions by hand, in the situations that
 * refuted drafts of the rules; each set of versions is resolved in every order.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hlc } from '../clock/index.ts';
import { applyVersion, type DocumentState, visibleVersions, writeDocument } from '../document/index.ts';
import { type CollectionName, type DocumentKey, parseReplicaId, type ReplicaId } from '../ids/index.ts';
import { counterValue, incrementCounter, merge } from './index.ts';

const COLLECTION = 'items' as CollectionName;
const KEY = 'k' as DocumentKey;

/** One replica's view of the one document. */
class Peer {
  readonly replica: ReplicaId;
  state: DocumentState | undefined;
  #seq = 0;

  constructor(digit: string) {
    this.replica = parseReplicaId(digit.repeat(32))!;
  }

  write(value: object, hlc: number): this {
    const stamp = { replica: this.replica, seq: ++this.#seq, hlc: hlc as Hlc };
    const text = JSON.stringify(value);
    const seen = this.state === undefined ? [] : visibleVersions(this.state);
    const stamps = seen.length === 0 ? null : merge.stamp!(seen, text, stamp);
    this.state = writeDocument(COLLECTION, KEY, this.state, stamp, text, stamps);
    return this;
  }

  receive(...from: Peer[]): this {
    for (const version of from.flatMap((peer) => peer.state!.versions)) {
      this.state = applyVersion(this.state, version, new Map()) ?? this.state;
    }
    return this;
  }

  get value(): unknown {
    const texts = permutations(visibleVersions(this.state!)).map((versions) => merge.resolve(versions));
    assert.equal(new Set(texts).size, 1, 'the order of siblings matters');
    return JSON.parse(texts[0]!);
  }
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

const peers = (): [Peer, Peer, Peer, Peer] => [new Peer('a'), new Peer('b'), new Peer('c'), new Peer('d')];
const merged = (...from: Peer[]): unknown => new Peer('f').receive(...from).value;

test('concurrent writes to different fields both stay', () => {
  const [a, b, c] = peers();
  a.write({ price: 1, name: 'x', note: 'n' }, 10);
  b.receive(a).write({ price: 2, name: 'x', note: 'n' }, 20);
  c.receive(a).write({ price: 1, name: 'y', note: 'n' }, 30);
  assert.deepEqual(merged(b, c), { price: 2, name: 'y', note: 'n' });
});

test('of two writes to one field the newer wins, whatever the order of arrival', () => {
  const [a, b, c, d] = peers();
  a.write({ price: 1 }, 10);
  b.receive(a).write({ price: 2 }, 30);
  c.receive(a).write({ price: 3 }, 20);
  d.receive(a).write({ price: 4 }, 25);
  assert.deepEqual(merged(b, c, d), { price: 2 });
});

test('a value stamped by a clock years ahead does not come back once it was knowingly replaced', () => {
  const [a, b, c] = peers();
  a.write({ price: 'wrong', name: 'n' }, 2036);
  b.receive(a).write({ price: 'FIXED', name: 'n' }, 26.1);
  c.receive(a).write({ price: 'wrong', name: 'n', note: 'hi' }, 26.2);
  assert.deepEqual(merged(b, c), { price: 'FIXED', name: 'n', note: 'hi' });
});

test('a removed field stays removed, although no stamp records the removal', () => {
  const [a, b, c, d] = peers();
  a.write({ price: 1, name: 'n' }, 2036);
  b.receive(a).write({ price: 1 }, 20);
  c.receive(a).write({ price: 1, name: 'n', note: 'hi' }, 30);
  assert.deepEqual(merged(b, c), { price: 1, note: 'hi' });
  d.receive(b, c).write({ price: 2, note: 'hi' }, 40);
  assert.deepEqual(merged(c, d, b), { price: 2, note: 'hi' });
});

test('a field that is changed on one node while another removes it is kept', () => {
  const [a, b, c] = peers();
  a.write({ price: 1, name: 'n' }, 10);
  b.receive(a).write({ price: 1 }, 30);
  c.receive(a).write({ price: 1, name: 'new' }, 20);
  assert.deepEqual(merged(b, c), { name: 'new', price: 1 });
});

test('objects merge at every depth; of a removed object only members set concurrently are kept', () => {
  const [a, b, c] = peers();
  a.write({ address: { city: 'V', zip: '1', geo: { x: 1, y: 2 } } }, 10);
  b.receive(a).write({ address: { city: 'W', zip: '1', geo: { x: 5, y: 2 } } }, 20);
  c.receive(a).write({ address: { city: 'V', zip: '2', geo: { x: 1, y: 6 } } }, 30);
  assert.deepEqual(merged(b, c), { address: { city: 'W', zip: '2', geo: { x: 5, y: 6 } } });
  const [d] = [new Peer('d')];
  d.receive(a).write({}, 40);
  assert.deepEqual(merged(b, d), { address: { city: 'W', geo: { x: 5 } } });
  assert.deepEqual(merged(a.receive(d), d), {});
});

test('between an object and something else the setter of the object decides, not those of its members', () => {
  const [a, b, c, d] = peers();
  a.write({ address: { city: 'V' } }, 10);
  b.receive(a).write({ address: { city: 'W' } }, 40);
  c.receive(a).write({ address: 'Via Roma' }, 20);
  assert.deepEqual(merged(b, c), { address: 'Via Roma' });
  d.write({ address: 'Via Verdi' }, 5);
  assert.deepEqual(merged(a, d), { address: { city: 'V' } });
});

test('items with ids merge by id, in the order of the newest version, then the others', () => {
  const [a, b, c] = peers();
  a.write(
    {
      lines: [
        { id: 1, qty: 1 },
        { id: 2, qty: 1 },
      ],
    },
    10,
  );
  b.receive(a).write(
    {
      lines: [
        { id: 3, qty: 9 },
        { id: 1, qty: 5 },
        { id: 2, qty: 1 },
      ],
    },
    20,
  );
  c.receive(a).write(
    {
      lines: [
        { id: 2, qty: 1, note: 'n' },
        { id: 1, qty: 1 },
        { id: 4, qty: 1 },
      ],
    },
    30,
  );
  assert.deepEqual(merged(b, c), {
    lines: [
      { id: 2, qty: 1, note: 'n' },
      { id: 1, qty: 5 },
      { id: 4, qty: 1 },
      { id: 3, qty: 9 },
    ],
  });
});

test('a removed item stays removed; one that was changed concurrently is kept with its id', () => {
  const [a, b, c, d] = peers();
  a.write(
    {
      lines: [
        { _id: 'x', qty: 1, name: 'n' },
        { _id: 'y', qty: 1 },
      ],
    },
    10,
  );
  b.receive(a).write({ lines: [] }, 30);
  c.receive(a).write(
    {
      lines: [
        { _id: 'x', qty: 7, name: 'n' },
        { _id: 'y', qty: 1 },
      ],
    },
    20,
  );
  assert.deepEqual(merged(b, c), { lines: [{ _id: 'x', qty: 7 }] });
  d.receive(a).write(
    {
      lines: [
        { _id: 'x', qty: 1, name: 'n' },
        { _id: 'y', qty: 1 },
      ],
      note: 1,
    },
    40,
  );
  assert.deepEqual(merged(b, d), { lines: [], note: 1 });
});

test('items added to an empty array on two nodes are both kept', () => {
  const [a, b, c] = peers();
  a.write({ lines: [] }, 10);
  b.receive(a).write({ lines: [{ id: 1 }] }, 20);
  c.receive(a).write({ lines: [{ id: 2 }] }, 30);
  assert.deepEqual(merged(b, c, a), { lines: [{ id: 2 }, { id: 1 }] });
});

test('arrays without distinct ids are one field', () => {
  const [a, b, c] = peers();
  a.write({ tags: ['x'], lines: [{ id: 1 }, { id: '1' }] }, 10);
  b.receive(a).write({ tags: ['x', 'y'], lines: [{ id: 1 }] }, 20);
  c.receive(a).write({ tags: ['x', 'z'], lines: [{ id: 1 }, { id: '1' }] }, 30);
  assert.deepEqual(merged(b, c), { tags: ['x', 'z'], lines: [{ id: 1 }] });
});

test('a reference to a blob is one field: two references are never mixed', () => {
  const picture = ($blob: string, size: number): object => ({ $blob, size, type: 'image/png' });
  const a = new Peer('a').write({ picture: picture('aa', 1), n: 0 }, 1);
  const b = new Peer('b').receive(a).write({ picture: { ...picture('bb', 1), type: 'image/jpeg' }, n: 0 }, 2);
  a.write({ picture: picture('aa', 3), n: 1 }, 3);
  assert.deepEqual(a.receive(b).value, { picture: picture('aa', 3), n: 1 });
});

test('concurrent increments add up, and an older entry of a replica is not counted again', () => {
  const [a, b, c] = peers();
  const count = (peer: Peer, by: number, hlc: number): Peer => {
    const n = (peer.state === undefined ? undefined : (peer.value as { n: never }).n) ?? undefined;
    return peer.write({ n: incrementCounter(n, peer.replica, hlc, by) }, hlc);
  };
  count(a, 5, 10);
  count(b.receive(a), 2, 20);
  count(c.receive(a), -1, 30);
  count(a, 1, 40);
  assert.equal(counterValue((merged(a, b, c) as { n: never }).n), 7);
  count(a.receive(b, c), 100, 50);
  assert.equal(counterValue((merged(b, c, a) as { n: never }).n), 107);
});

test('of two entries of one replica the one with the higher seq counts, whatever the stamps of the writes', () => {
  const [a, b] = peers();
  a.write({ n: { $counter: { x: [6, 60] } } }, 10);
  b.write({ n: { $counter: { x: [5, 50], y: [1, 1] } } }, 20);
  assert.deepEqual(merged(a, b), { n: { $counter: { x: [6, 60], y: [1, 1] } } });
});

test('the value of a counter is the sum of its entries; other values are not counters', () => {
  const replica = parseReplicaId('a'.repeat(32))!;
  const earlier = 'b'.repeat(32);
  const counter = incrementCounter({ $counter: { [earlier]: [7, 3], [replica]: [9, 1] } }, replica, 4, 2.5);
  assert.deepEqual(counter, { $counter: { [earlier]: [7, 3], [replica]: [10, 3.5] } });
  assert.equal(counterValue(counter), 6.5);
  assert.deepEqual(incrementCounter('none', replica, 4, 1), { $counter: { [replica]: [4, 1] } });
  for (const none of [undefined, null, 5, [], {}, { $counter: 5 }, { $counter: { a: [1] } }, { $counter: {}, b: 1 }]) {
    assert.equal(counterValue(none), undefined);
  }
  assert.throws(() => incrementCounter(counter, replica, 1, Number.NaN), RangeError);
});

test('stamps are few: one for the write that set most fields, and one for each field set by another', () => {
  const [a, b, c] = peers();
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, i]));
  a.write({ ...many, o: { x: 1, y: 2 } }, 10);
  assert.equal(a.state!.versions[0]!.stamps, null);
  b.receive(a).write({ ...many, f3: 'b', o: { x: 1, y: 3 } }, 20);
  const stamp = (peer: Peer, seq: number, hlc: number) => ({ replica: peer.replica, seq, hlc });
  assert.deepEqual(b.state!.versions[0]!.stamps, [
    { path: '', ...stamp(a, 1, 10) },
    { path: '/f3', ...stamp(b, 1, 20) },
    { path: '/o/y', ...stamp(b, 1, 20) },
  ]);
  c.receive(b).write({ ...many, f3: 'b', o: { x: 1, y: 3 }, 'a/b~c': 1 }, 30);
  assert.deepEqual(c.state!.versions[0]!.stamps, [
    { path: '', ...stamp(a, 1, 10) },
    { path: '/a~1b~0c', ...stamp(c, 1, 30) },
    { path: '/f3', ...stamp(b, 1, 20) },
    { path: '/o/y', ...stamp(b, 1, 20) },
  ]);
});

test('hostile names are fields like others', () => {
  const [a, b, c] = peers();
  const own = (text: string): object => JSON.parse(text);
  a.write(own('{"__proto__":{"x":1},"":1,"a/b":1,"a":{"b":1}}'), 10);
  b.receive(a).write(own('{"__proto__":{"x":2},"":1,"a/b":2,"a":{"b":1}}'), 20);
  c.receive(a).write(own('{"__proto__":{"x":1,"y":3},"":3,"a/b":1,"a":{"b":3}}'), 30);
  assert.deepEqual(merged(b, c), own('{"__proto__":{"x":2,"y":3},"":3,"a/b":2,"a":{"b":3}}'));
});
