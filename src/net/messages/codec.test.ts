/**
 * Goal: a message arrives as it was sent, and no bytes at all can do more than be refused.
 * Method: random messages of every kind through a pair of codecs (fast-check shrinks what fails); then frames that were
 * valid, changed at random, and bombs made by hand, each with a look at the time. The seed is printed with a failure.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import type { Hlc } from '../../core/clock/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import { type CollectionName, compareBytes, type DocumentKey, type ReplicaId } from '../../core/ids/index.ts';
import { type Check, type Fingerprint, joinLines } from '../../core/version/index.ts';
import { createSeededRandom } from '../../testing/index.ts';
import { createDecoder, createEncoder, type Message, type SentVersion, WIRE_LIMITS } from './index.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);
const MUTATIONS = 100_000 * SCALE;
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? 20_261_123);

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
const version = fc
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
    ({ seq, ...rest }): SentVersion => ({
      ...rest,
      ...seq,
      context: rest.context.filter((l) => l.replica !== rest.replica || l.last < seq.seq),
    }),
  );

const message: fc.Arbitrary<Message> = fc.oneof(
  record({
    kind: fc.constant('versions' as const),
    batch: count,
    versions: fc.array(version, { maxLength: 6 }),
    more: fc.boolean(),
  }),
  record({
    kind: fc.constant('hello' as const),
    protocol: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(9)).map(([min, more]) => ({ min, max: min + more })),
    node: fc.string({ maxLength: 80 }),
    replica,
    life: hex(8),
    wallMs,
    collections: fc.option(collections),
    capabilities: fc.array(text, { maxLength: 3 }),
    resolvers: fc.array(fc.tuple(fc.oneof(collection, fc.constant('*')), text)).map((entries) => new Map(entries)),
  }),
  record({
    kind: fc.constant('summary' as const),
    round: count,
    digest,
    collections: fc.uniqueArray(record({ collection, digest }), { selector: (part) => part.collection }),
  }),
  record({ kind: fc.constant('differ' as const), round: count, collections }),
  record({ kind: fc.constant('want' as const), collection, knowledge, fingerprint }),
  fc
    .tuple(collection, count, bounds, fingerprint, fc.boolean(), fc.boolean())
    .map(([of, exchange, keys, sum, fromFirst, toLast]) => {
      const ends: (DocumentKey | null)[] = toLast ? [...keys, null] : keys;
      const after = fromFirst ? null : (ends.shift() ?? null);
      return {
        kind: 'ranges' as const,
        collection: of,
        exchange,
        after,
        ranges: ends.map((upTo) => ({ upTo, fingerprint: sum })),
      };
    }),
  fc.tuple(collection, count, fc.array(bounds)).map(([of, exchange, lists]) => ({
    kind: 'narrow' as const,
    collection: of,
    exchange,
    ranges: lists.map((keys) => ({ after: keys[0] ?? null, upTo: keys[1] ?? null })),
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
  record({ kind: fc.constantFrom('ping' as const, 'pong' as const), nonce: count, wallMs }),
  record({
    kind: fc.constant('goodbye' as const),
    reason: fc.constantFrom('closing' as const, 'busy' as const, 'other' as const),
  }),
);

/** Demands a message or MESSAGE_INVALID. */
function decodeHostile(frame: Uint8Array, decoder = createDecoder()): Message | undefined {
  try {
    return decoder.decode(frame);
  } catch (error) {
    if (!isEntglDbError(error, 'MESSAGE_INVALID')) throw error;
    return undefined;
  }
}

/** Demands as well that it does not take over 50 ms; other work on the machine may hold up one try, but not three. */
function decodeHostileSoon(frame: Uint8Array, decoder?: ReturnType<typeof createDecoder>): Message | undefined {
  const before = performance.now();
  const message = decodeHostile(frame, decoder);
  let tookMs = performance.now() - before;
  for (let tries = 0; tookMs > 50 && tries < 2; tries++) {
    const again = performance.now();
    decodeHostile(frame);
    tookMs = Math.min(tookMs, performance.now() - again);
  }
  assert.ok(tookMs <= 50, `${frame.length} bytes took ${tookMs.toFixed(1)} ms; seed ${SEED}`);
  return message;
}

/** A frame whose rest is a `Frame` with one field that holds these bytes. */
function frameOf(field: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([
    Uint8Array.of(0),
    new BinaryWriter()
      .uint32((field << 3) | 2)
      .bytes(content)
      .finish(),
  ]);
}

function reasonOf(run: () => unknown): string {
  try {
    run();
    return 'nothing thrown';
  } catch (error) {
    if (!isEntglDbError(error)) throw error;
    return error.reason === 'MESSAGE_INVALID' ? String(error.details.where) : error.reason;
  }
}

for (const zstd of [false, true]) {
  test(`a session of messages arrives as it was sent, ${zstd ? 'compressed' : 'plain'}`, () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
        const limits = { ...WIRE_LIMITS, compressBytesMin: 32 };
        const encoder = createEncoder({ zstd, limits });
        const decoder = createDecoder();
        for (const sent of messages) assert.deepEqual(decoder.decode(encoder.encode(sent)), sent);
      }),
      { seed: SEED, numRuns: 400 * SCALE },
    );
  });
}

test('a dictionary that is full starts again, and a message that needs more of it than there is changes nothing', () => {
  const limits = { ...WIRE_LIMITS, dictionaryReplicasMax: 3 };
  const encoder = createEncoder({ zstd: false, limits });
  const decoder = createDecoder(limits);
  const forkOf = (n: number): Message => ({
    kind: 'fork',
    replica: n.toString(16).padStart(32, '0') as ReplicaId,
    seq: 1,
    checks: ['00'.repeat(8) as Check, '11'.repeat(8) as Check],
  });
  const wide: Message = {
    kind: 'claim',
    collections: [
      {
        collection: 'users' as CollectionName,
        knowledge: new Map(),
        purged: new Map([1, 2, 3, 4].map((n) => [n.toString(16).padStart(32, '0') as ReplicaId, 1])),
        exchange: 0,
        complete: false,
      },
    ],
  };
  for (let i = 0; i < 50; i++) {
    if (i % 7 === 3) assert.throws(() => encoder.encode(wide), { reason: 'MESSAGE_TOO_LARGE' });
    const sent = forkOf(i % 5);
    assert.deepEqual(decoder.decode(encoder.encode(sent)), sent);
  }
});

test('a replica id travels once, then as a number', () => {
  const encoder = createEncoder({ zstd: false });
  const fork: Message = {
    kind: 'fork',
    replica: 'ab'.repeat(16) as ReplicaId,
    seq: 1,
    checks: ['00'.repeat(8) as Check, '11'.repeat(8) as Check],
  };
  const first = encoder.encode(fork).length;
  assert.equal(first - encoder.encode(fork).length, 18);
});

test('what is sent within the bounds is read, what is beyond them is refused by the sender already', () => {
  const purgedOf = (entries: number): Message => ({
    kind: 'claim',
    collections: [
      {
        collection: 'users' as CollectionName,
        knowledge: new Map(),
        purged: new Map(
          Array.from({ length: entries }, (_, i) => [i.toString(16).padStart(32, '0') as ReplicaId, i + 1]),
        ),
        exchange: 0,
        complete: true,
      },
    ],
  });
  // The claim and its collection are entries too.
  const fits = purgedOf(WIRE_LIMITS.messageEntriesMax - 2);
  assert.deepEqual(createDecoder().decode(createEncoder({ zstd: true }).encode(fits)), fits);
  assert.throws(() => createEncoder({ zstd: false }).encode(purgedOf(WIRE_LIMITS.messageEntriesMax - 1)), {
    reason: 'MESSAGE_TOO_LARGE',
  });
  const one = fc.sample(version, { numRuns: 1, seed: SEED })[0]!;
  const huge: Message = {
    kind: 'versions',
    batch: 1,
    versions: [{ ...one, value: 'x'.repeat(17 << 20) }],
    more: false,
  };
  assert.throws(() => createEncoder({ zstd: true }).encode(huge), { reason: 'MESSAGE_TOO_LARGE' });
  const many: Message = { kind: 'versions', batch: 1, versions: Array.from({ length: 1001 }, () => one), more: false };
  assert.throws(() => createEncoder({ zstd: true }).encode(many), { reason: 'MESSAGE_TOO_LARGE' });
});

test('a message of an unknown kind, and unknown fields, are ignored and counted', () => {
  const decoder = createDecoder();
  assert.equal(decoder.decode(frameOf(4000, Buffer.from('of tomorrow'))), undefined);
  assert.equal(decoder.decode(Uint8Array.of(0)), undefined);
  assert.equal(decoder.unknownCount, 2);
  const ack = new BinaryWriter()
    .uint32(8)
    .uint64(7)
    .uint32((99 << 3) | 2)
    .string('new')
    .finish();
  assert.deepEqual(decoder.decode(frameOf(13, ack)), { kind: 'ack', batch: 7 });
  assert.equal(decoder.unknownCount, 2);
});

test('half of a surrogate pair never leaves the node', () => {
  const one = { ...fc.sample(version, { numRuns: 1, seed: SEED })[0]!, value: '"\ud800"' };
  assert.throws(
    () => createEncoder({ zstd: false }).encode({ kind: 'versions', batch: 1, versions: [one], more: false }),
    {
      reason: 'MESSAGE_INVALID',
    },
  );
});

test('each rule that a message can break is refused, and the error says where', () => {
  const base = fc.sample(version, { numRuns: 1, seed: SEED })[0]!;
  const a = '0a'.repeat(16) as ReplicaId;
  const b = '0b'.repeat(16) as ReplicaId;
  const own: SentVersion = { ...base, replica: a, seq: 9, first: 9, context: [], stamps: null };
  const users = 'users' as CollectionName;
  const zero = { count: 0, lanes: [0, 0, 0, 0] } as const;
  const at = (path: string) => ({ path, replica: a, seq: 1, hlc: 1 as Hlc });
  const withVersion = (change: Partial<SentVersion>): Message => ({
    kind: 'versions',
    batch: 1,
    more: false,
    versions: [{ ...own, ...change }],
  });
  const part = { collection: users, knowledge: new Map(), purged: new Map(), exchange: 0, complete: true };
  const hello = fc.sample(message, { numRuns: 500, seed: SEED }).find((m) => m.kind === 'hello')!;
  const broken: Record<string, Message> = {
    'version.seq': withVersion({ seq: 0, first: 0 }),
    'version.first': withVersion({ first: 10 }),
    'version.hlc': withVersion({ hlc: (2 ** 53) as Hlc }),
    'version.key': withVersion({ key: '' as DocumentKey }),
    'version.collection': withVersion({ collection: 'a\nb' as CollectionName }),
    'version.context': withVersion({
      context: [
        { replica: b, first: 1, last: 1 },
        { replica: a, first: 1, last: 1 },
      ],
    }),
    'version.context.last': withVersion({ context: [{ replica: a, first: 0, last: 0 }] }),
    'version.stamps': withVersion({ stamps: [at('/b'), at('/a')] }),
    'want.collection': { kind: 'want', collection: '' as CollectionName, knowledge: new Map(), fingerprint: zero },
    'want.knowledge.seq': {
      kind: 'want',
      collection: users,
      knowledge: new Map([[a, { seq: 0, check: null }]]),
      fingerprint: zero,
    },
    'want.knowledge.check': {
      kind: 'want',
      collection: users,
      knowledge: new Map([[a, { seq: 1, check: 'ab' as Check }]]),
      fingerprint: zero,
    },
    'ranges.range': {
      kind: 'ranges',
      collection: users,
      exchange: 1,
      after: 'b' as DocumentKey,
      ranges: [{ upTo: 'a' as DocumentKey, fingerprint: zero }],
    },
    'narrow.range': {
      kind: 'narrow',
      collection: users,
      exchange: 1,
      ranges: [{ after: 'b' as DocumentKey, upTo: 'b' as DocumentKey }],
    },
    'summary.digest': { kind: 'summary', round: 1, digest: new Uint8Array(15), collections: [] },
    'differ.collections': { kind: 'differ', round: 1, collections: [users, users] },
    'claim.collection': { kind: 'claim', collections: [part, part] },
    'claim.purged.seq': { kind: 'claim', collections: [{ ...part, purged: new Map([[a, 0]]) }] },
    fork: { kind: 'fork', replica: a, seq: 1, checks: ['00'.repeat(8) as Check, '00'.repeat(8) as Check] },
    'fork.check_a': { kind: 'fork', replica: a, seq: 1, checks: ['' as Check, '00'.repeat(8) as Check] },
    'hello.protocol': { ...hello, protocol: { min: 2, max: 1 } },
    'hello.node': { ...hello, node: 'x'.repeat(257) },
    'ack.batch': { kind: 'ack', batch: 2 ** 60 },
    'ping.wall_ms': { kind: 'ping', nonce: 1, wallMs: -(2 ** 53) },
  };
  for (const [where, sent] of Object.entries(broken)) {
    const frame = createEncoder({ zstd: false }).encode(sent);
    assert.equal(
      reasonOf(() => createDecoder().decode(frame)),
      where,
    );
  }
  const selfCovering = withVersion({ context: [{ replica: a, first: 1, last: 9 }] });
  assert.throws(
    () => createDecoder().decode(createEncoder({ zstd: false }).encode(selfCovering)),
    /covers the write itself/,
  );
  assert.equal(
    reasonOf(() => createDecoder().decode(frameOf(14, Uint8Array.of(8, 1)))),
    'fork.check_a',
  );
});

test('no change to a valid frame does more than make it invalid', () => {
  const random = createSeededRandom(SEED);
  const samples = fc.sample(message, { numRuns: 400, seed: SEED });
  const frames = samples.flatMap((sent) => [
    createEncoder({ zstd: false }).encode(sent),
    createEncoder({ zstd: true, limits: { ...WIRE_LIMITS, compressBytesMin: 1 } }).encode(sent),
  ]);
  let accepted = 0;
  let decoder = createDecoder();
  for (let i = 0; i < MUTATIONS; i++) {
    let frame = Uint8Array.from(random.pick(frames));
    for (let cuts = random.integer(1, 4); cuts > 0; cuts--) {
      const place = random.integer(0, Math.max(0, frame.length - 1));
      const action = random.integer(0, 4);
      if (action === 0) frame[place] = random.integer(0, 255);
      else if (action === 1) frame[place]! ^= 1 << random.integer(0, 7);
      else if (action === 2) frame = frame.slice(0, place);
      else if (action === 3)
        frame = Uint8Array.from([...frame.slice(0, place), ...random.bytes(3), ...frame.slice(place)]);
      else frame = Uint8Array.from([...frame, ...random.pick(frames).slice(1)]);
    }
    if (i % 100 === 0) decoder = createDecoder();
    if (decodeHostileSoon(frame, decoder) !== undefined) accepted++;
  }
  assert.ok(accepted > MUTATIONS / 100, `${accepted} of ${MUTATIONS} were still messages: the changes are too coarse`);
});

test('random bytes are refused', () => {
  const random = createSeededRandom(SEED + 1);
  for (let i = 0; i < MUTATIONS / 4; i++) {
    const frame = random.bytes(random.integer(0, 200));
    if (frame.length > 0 && random.chance(0.9)) frame[0] = 0;
    decodeHostileSoon(frame);
  }
});

test('bombs of 16 MiB are refused in 50 ms, and take no memory that stays', () => {
  const big = (pattern: readonly number[]) => Buffer.alloc((16 << 20) - 64, Uint8Array.from(pattern));
  const bombs: Record<string, Uint8Array> = {
    'empty versions': frameOf(3, big([26, 0])),
    'versions with empty lines': frameOf(
      3,
      new BinaryWriter()
        .uint32(26)
        .bytes(big([58, 0]))
        .finish(),
    ),
    'versions with empty field stamps': frameOf(
      3,
      new BinaryWriter()
        .uint32(26)
        .bytes(big([74, 0]))
        .finish(),
    ),
    'empty names': frameOf(6, big([18, 0])),
    'a number again and again': frameOf(13, big([8, 1])),
    'unknown fields': Buffer.concat([Uint8Array.of(0), big([0xf8, 0x01, 0])]),
    'groups in groups': Buffer.concat([Uint8Array.of(0), big([0xfb])]),
    'one endless integer': Buffer.concat([Uint8Array.of(0), big([0xff])]),
    'new replicas': Buffer.concat([
      Uint8Array.of(0),
      new BinaryWriter()
        .uint32(18)
        .bytes(big([7]))
        .finish(),
    ]),
    'messages in one frame': Buffer.concat([Uint8Array.of(0), big([(13 << 3) | 2, 0])]),
    zeros: big([0]),
    'zstd of too many zeros': Buffer.concat([Uint8Array.of(1), zstdCompressSync(Buffer.alloc(64 << 20))]),
    'zstd with a window of 128 MiB': Buffer.concat([
      Uint8Array.of(1),
      zstdCompressSync(Buffer.alloc(15 << 20), {
        params: { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_contentSizeFlag]: 0 },
      }),
    ]),
    'a frame above its bound': Buffer.alloc((16 << 20) + 2),
  };
  for (const [name, bomb] of Object.entries(bombs)) {
    assert.equal(reasonOf(() => createDecoder().decode(bomb)).split('.')[0], 'frame', name);
    assert.equal(decodeHostileSoon(bomb), undefined, name);
  }
});
