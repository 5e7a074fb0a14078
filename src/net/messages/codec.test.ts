/**
 * Goal: a message arrives as it was sent, and one that breaks a rule is refused with the place where it does.
 * Method: random messages of every kind through a pair of codecs (fast-check shrinks what fails); then one message for each rule.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import type { Hlc } from '../../core/clock/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import type { RemoteVersion } from '../../core/replication/index.ts';
import type { Check } from '../../core/version/index.ts';
import { createDecoder, createEncoder, type Message, WIRE_LIMITS } from './index.ts';
import { anyMessage, anyVersion, frameOf, reasonOf } from './test-messages.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? 20_261_123);

for (const zstd of [false, true]) {
  test(`a session of messages arrives as it was sent, ${zstd ? 'compressed' : 'plain'}`, () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 8 }), (messages) => {
        const limits = { ...WIRE_LIMITS, compressBytesMin: 32 };
        const encoder = createEncoder({ zstd, limits });
        const decoder = createDecoder();
        for (const sent of messages) assert.deepEqual(decoder.decode(encoder.encode(sent)), sent);
      }),
      { seed: SEED, numRuns: 400 * SCALE },
    );
  });
}

test('a full dictionary starts again, and a message with more replicas than it can hold is refused without effect', () => {
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

test('a message within the bounds is read, and one beyond them is already refused by the encoder', () => {
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
  const one = fc.sample(anyVersion, { numRuns: 1, seed: SEED })[0]!;
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

test('messages of an unknown kind are ignored, and so are unknown fields', () => {
  const decoder = createDecoder();
  assert.equal(decoder.decode(frameOf(4000, Buffer.from('of tomorrow'))), undefined);
  assert.equal(decoder.decode(Uint8Array.of(0)), undefined);
  const ack = new BinaryWriter()
    .uint32(8)
    .uint64(7)
    .uint32((99 << 3) | 2)
    .string('new')
    .finish();
  assert.deepEqual(decoder.decode(frameOf(13, ack)), { kind: 'ack', batch: 7 });
});

test('half of a surrogate pair never leaves the node', () => {
  const one = { ...fc.sample(anyVersion, { numRuns: 1, seed: SEED })[0]!, value: '"\ud800"' };
  assert.throws(
    () => createEncoder({ zstd: false }).encode({ kind: 'versions', batch: 1, versions: [one], more: false }),
    {
      reason: 'MESSAGE_INVALID',
    },
  );
});

test('each broken rule of a message is refused, and the error says where', () => {
  const base = fc.sample(anyVersion, { numRuns: 1, seed: SEED })[0]!;
  const a = '0a'.repeat(16) as ReplicaId;
  const b = '0b'.repeat(16) as ReplicaId;
  const own: RemoteVersion = { ...base, replica: a, seq: 9, first: 9, context: [], stamps: null };
  const users = 'users' as CollectionName;
  const zero = { count: 0, lanes: [0, 0, 0, 0] } as const;
  const at = (path: string) => ({ path, replica: a, seq: 1, hlc: 1 as Hlc });
  const withVersion = (change: Partial<RemoteVersion>): Message => ({
    kind: 'versions',
    batch: 1,
    more: false,
    versions: [{ ...own, ...change }],
  });
  const part = { collection: users, knowledge: new Map(), purged: new Map(), exchange: 0, complete: true };
  const hello = fc.sample(anyMessage, { numRuns: 500, seed: SEED }).find((m) => m.kind === 'hello')!;
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
