/** For the tests of the codec: random messages of every kind, and frames made by hand. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import type { Hlc } from '../../core/clock/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import { type CollectionName, compareBytes, type DocumentKey, type ReplicaId } from '../../core/ids/index.ts';
import type { RemoteVersion } from '../../core/replication/index.ts';
import { type Check, type Fingerprint, joinLines } from '../../core/version/index.ts';
import type { Message } from './index.ts';

/** Plain objects, as the decoder makes them. */
const record = <T>(shape: { [Name in keyof T]: fc.Arbitrary<T[Name]> }): fc.Arbitrary<T> =>
  fc.record(shape, { noNullPrototype: true }) as fc.Arbitrary<T>;
const seq = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.maxSafeInteger().map((n) => Math.abs(n) || 1),
);
const count = fc.oneof(fc.constant(0), seq);
const hlc = fc.oneof(fc.constant(0), fc.maxSafeInteger().map(Math.abs)) as fc.Arbitrary<Hlc>;
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'));
const replica = fc.oneof(
  fc.constantFrom('00'.repeat(16), 'ab'.repeat(16), 'ff'.repeat(16)),
  hex(16),
) as fc.Arbitrary<ReplicaId>;
const check = hex(8) as fc.Arbitrary<Check>;
const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
const key = fc.oneof(text, fc.constantFrom('\ufeffk', '\u{10ffff}', '\uffff', '\0')) as fc.Arbitrary<DocumentKey>;
const collection = fc.constantFrom(
  'users',
  'größe',
  '名前',
  '__proto__',
  'x'.repeat(128),
) as fc.Arbitrary<CollectionName>;
const collections = fc.uniqueArray(collection);
const digest = fc.uint8Array({ minLength: 16, maxLength: 16 });
const lane = fc.integer({ min: 0, max: 0xffffffff });
const fingerprint = record({ count, lanes: fc.tuple(lane, lane, lane, lane) }) as fc.Arbitrary<Fingerprint>;
const known = record({ seq, check: fc.option(check) });
const knowledge = fc.array(fc.tuple(replica, known), { maxLength: 8 }).map((entries) => new Map(entries));
const purged = fc.array(fc.tuple(replica, seq), { maxLength: 8 }).map((entries) => new Map(entries));
const dot = record({ replica, seq });
const named = fc.array(record({ key, dot }), { maxLength: 5 });
const wallMs = fc.maxSafeInteger();
const bounds = fc.uniqueArray(key, { maxLength: 5 }).map((keys) => keys.sort(compareBytes));

const line = fc
  .tuple(replica, seq, seq)
  .map(([of, a, b]) => ({ replica: of, first: Math.min(a, b), last: Math.max(a, b) }));
const stamps = fc
  .uniqueArray(record({ path: fc.string({ unit: 'binary' }), replica, seq, hlc }), {
    selector: (s) => s.path,
    maxLength: 4,
  })
  .map((list) => list.sort((a, b) => compareBytes(a.path, b.path)));
export const anyVersion = fc
  .record({
    collection,
    key,
    replica,
    seq: fc.tuple(seq, seq).map(([a, b]) => ({ first: Math.min(a, b), seq: Math.max(a, b) })),
    hlc,
    context: fc.array(line, { maxLength: 4 }).map(joinLines),
    value: fc.option(fc.oneof(fc.json(), fc.string({ unit: 'binary' }), fc.constant(''))),
    stamps: fc.option(stamps),
    format: fc.integer({ min: 0, max: 0xffffffff }),
  })
  .map(
    ({ seq, ...rest }): RemoteVersion => ({
      ...rest,
      ...seq,
      context: rest.context.filter((l) => l.replica !== rest.replica || l.last < seq.seq),
    }),
  );

export const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  record({
    kind: fc.constant('versions' as const),
    batch: count,
    versions: fc.array(anyVersion, { maxLength: 6 }),
    more: fc.boolean(),
  }).chain((message) => seq.map((reached) => (reached % 2 === 0 ? { ...message, reached } : message))),
  record({
    kind: fc.constant('hello' as const),
    protocol: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(9)).map(([min, more]) => ({ min, max: min + more })),
    node: fc.string({ maxLength: 80 }),
    replica,
    startId: hex(8),
    wallMs,
    collections: fc.option(collections),
    capabilities: fc.array(text, { maxLength: 3 }),
    resolvers: fc.array(fc.tuple(fc.oneof(collection, fc.constant('*')), text)).map((entries) => new Map(entries)),
  }),
  record({
    kind: fc.constant('definitions' as const),
    collections: fc.uniqueArray(
      record({
        collection,
        resolver: text,
        version: fc.option(count),
        schema: fc.option(digest.map((bytes) => Buffer.from(bytes).toString('hex'))),
      }),
      { selector: (said) => said.collection },
    ),
  }),
  record({
    kind: fc.constant('summary' as const),
    round: count,
    digest,
    collections: fc.uniqueArray(record({ collection, digest }), { selector: (part) => part.collection }),
  }),
  record({
    kind: fc.constant('summary' as const),
    round: count,
    digest,
    collections: fc.constant([]),
    more: fc.constant(true as const),
  }),
  record({ kind: fc.constant('differ' as const), round: count, collections }),
  record({ kind: fc.constant('differ' as const), round: count, collections, busy: fc.constant(true as const) }),
  record({ kind: fc.constant('want' as const), collection, knowledge, fingerprint }),
  record({ kind: fc.constant('want' as const), collection, knowledge, fingerprint, gaps: fc.constant(true as const) }),
  record({ kind: fc.constant('want' as const), collection, knowledge, fingerprint, resume: purged }).filter(
    ({ resume }) => resume.size > 0,
  ),
  fc
    .tuple(collection, count, bounds, fingerprint, fc.boolean(), fc.boolean(), fc.boolean())
    .map(([of, exchange, keys, sum, fromFirst, toLast, gaps]) => {
      const ends: (DocumentKey | null)[] = toLast ? [...keys, null] : keys;
      const after = fromFirst ? null : (ends.shift() ?? null);
      return {
        kind: 'ranges' as const,
        collection: of,
        exchange,
        after,
        ranges: ends.map((upTo) => ({ upTo, fingerprint: sum })),
        ...(gaps ? { gaps } : {}),
      };
    }),
  fc.tuple(collection, count, fc.array(bounds)).map(([of, exchange, lists]) => ({
    kind: 'narrow' as const,
    collection: of,
    exchange,
    ranges: lists.map((keys) => ({ after: keys[0] ?? null, upTo: keys[1] ?? null })),
  })),
  fc.tuple(collection, count, fc.array(bounds), fc.boolean()).map(([of, exchange, lists, last]) => ({
    kind: 'fetch' as const,
    collection: of,
    exchange,
    ranges: lists.map((keys) => ({ after: keys[0] ?? null, upTo: keys[1] ?? null })),
    last,
  })),
  record({ kind: fc.constant('check' as const), collection, exchange: count, versions: named, last: fc.boolean() }),
  record({ kind: fc.constant('missing' as const), collection, exchange: count, versions: named }),
  record({
    kind: fc.constant('claim' as const),
    collections: fc.uniqueArray(record({ collection, knowledge, purged, exchange: count, complete: fc.boolean() }), {
      selector: (part) => part.collection,
    }),
  }),
  record({ kind: fc.constant('ack' as const), batch: count }),
  fc.tuple(replica, seq, fc.uniqueArray(check, { minLength: 2, maxLength: 2 })).map(([of, at, checks]) => ({
    kind: 'fork' as const,
    replica: of,
    seq: at,
    checks: [checks[0]!, checks[1]!] as const,
  })),
  record({ kind: fc.constant('ended' as const), ends: knowledge }),
  record({ kind: fc.constantFrom('ping' as const, 'pong' as const), nonce: count, wallMs }),
  record({ kind: fc.constant('verify' as const), nonce: count, digest }),
  record({
    kind: fc.constant('verified' as const),
    nonce: count,
    sums: fc.option(
      fc.uniqueArray(
        record({ collection, knowledge: digest, fingerprint: fc.option(fingerprint), damaged: fc.boolean() }),
        { selector: (part) => part.collection },
      ),
    ),
  }),
  record({
    kind: fc.constant('goodbye' as const),
    reason: fc.constantFrom('closing' as const, 'busy' as const, 'other' as const),
  }),
);

/** A frame whose rest is a `Frame` with one field that holds these bytes. */
export function frameOf(field: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([
    Uint8Array.of(0),
    new BinaryWriter()
      .uint32((field << 3) | 2)
      .bytes(content)
      .finish(),
  ]);
}

/** The reason of the error that `run` throws; for MESSAGE_INVALID, the place in the message. */
export function reasonOf(run: () => unknown): string {
  try {
    run();
    return 'nothing thrown';
  } catch (error) {
    if (!isEntglDbError(error)) throw error;
    return error.reason === 'MESSAGE_INVALID' ? String(error.details.where) : error.reason;
  }
}
