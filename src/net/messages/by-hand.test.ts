/**
 * Goal: `Versions`, which are written and read by hand, are what wire.proto says, so that other implementations can join.
 * Method: random messages against the generated code; then frames as protobuf allows them and this encoder never makes them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { createDecoder, createEncoder, type Message, type VersionsMessage } from './index.ts';
import { anyVersion, reasonOf } from './test-messages.ts';
import { FrameSchema } from './wire_pb.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? 20_261_128);
const REPLICA = 'ab'.repeat(16);

const anyVersions: fc.Arbitrary<VersionsMessage> = fc
  .tuple(fc.nat(), fc.array(anyVersion, { maxLength: 5 }), fc.boolean(), fc.option(fc.integer({ min: 1 })))
  .map(([batch, versions, more, reached]) => ({
    kind: 'versions',
    batch,
    versions,
    more,
    ...(reached === null ? {} : { reached }),
  }));

test('the generated code reads what is written by hand, and writes it again byte for byte', () => {
  fc.assert(
    fc.property(anyVersions, (message) => {
      const bytes = createEncoder({ zstd: false }).encode(message).subarray(1);
      const frame = fromBinary(FrameSchema, bytes);
      assert.equal(frame.message.case, 'versions');
      assert.deepEqual(Buffer.from(toBinary(FrameSchema, frame)), Buffer.from(bytes));
    }),
    { seed: SEED, numRuns: 400 * SCALE },
  );
});

test('texts of every size are written with lengths of the right size', () => {
  const [one] = fc.sample(anyVersion, { numRuns: 1, seed: SEED });
  for (const unit of ['x', 'é', '名', '😀'])
    for (const units of [0, 1, 41, 42, 43, 63, 64, 127, 128, 5460, 5461, 5462, 16_383, 16_384, 700_000]) {
      const message: Message = {
        kind: 'versions',
        batch: 1,
        versions: [{ ...one!, value: unit.repeat(units) }],
        more: false,
      };
      const frame = createEncoder({ zstd: false }).encode(message);
      assert.deepEqual(createDecoder().decode(frame), message, `${units} times ${unit}`);
      assert.deepEqual(
        Buffer.from(toBinary(FrameSchema, fromBinary(FrameSchema, frame.subarray(1)))),
        Buffer.from(frame.subarray(1)),
      );
    }
});

type Field = readonly [number: number, content: number | string | Uint8Array];

/** A message with fields in the order given; a number is a varint, everything else has a length. */
function messageOf(...fields: readonly Field[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [field, content] of fields) {
    writer.uint32((field << 3) | (typeof content === 'number' ? 0 : 2));
    if (typeof content === 'number') writer.uint64(content);
    else if (typeof content === 'string') writer.string(content);
    else writer.bytes(content);
  }
  return writer.finish();
}

const introduced = [2, Buffer.from(REPLICA, 'hex')] as const;
const frameWith = (...fields: readonly Field[]): Uint8Array => Buffer.concat([Uint8Array.of(0), messageOf(...fields)]);

const version = [
  [6, 7],
  [99, 'of tomorrow'],
  [8, '{"a":1}'],
  [4, 5],
  [3, 1],
  [9, messageOf([1, messageOf([4, 3], [3, 2], [2, 1], [1, '/a'])])],
  [7, messageOf([3, 4], [2, 3], [9, 1], [1, 1])],
  [9, messageOf([1, messageOf([2, 1], [1, '/b'], [3, 5], [4, 3])])],
  [2, 'not this key'],
  [2, 'key'],
  [1, 'users'],
] as const;

test('fields may come in any order, twice, and from a later release', () => {
  const versions = messageOf([3, messageOf(...version)], [2, 1], [77, 1], [1, 8], [1, 9]);
  const expected = {
    kind: 'versions',
    batch: 9,
    more: true,
    versions: [
      {
        collection: 'users',
        key: 'key',
        replica: REPLICA,
        seq: 5,
        first: 5,
        hlc: 7,
        context: [{ replica: REPLICA, first: 3, last: 4 }],
        value: '{"a":1}',
        stamps: [
          { path: '/a', replica: REPLICA, seq: 2, hlc: 3 },
          { path: '/b', replica: REPLICA, seq: 5, hlc: 3 },
        ],
        format: 0,
      },
    ],
  };
  assert.deepEqual(createDecoder().decode(frameWith(introduced, [3, versions])), expected);
  assert.deepEqual(createDecoder().decode(frameWith([3, versions], [4000, 'new'], introduced)), expected);
});

test('broken rules of the schema that the generated code would not notice are refused', () => {
  const changed = (field: number, content: number | string): Uint8Array =>
    messageOf([3, messageOf(...version.filter(([number]) => number !== field), [field, content])]);
  const broken: Record<string, Uint8Array> = {
    'version.replica': changed(3, 2),
    'version.seq': changed(4, 0),
    'version.first': changed(5, 6),
    'version.hlc': changed(6, 2 ** 53),
    'version.key': changed(2, ''),
    'version.format': changed(10, 2 ** 32),
    'version.collection': messageOf([3, messageOf(...version.filter(([number]) => number !== 1))]),
    'version.value': messageOf([3, messageOf(...version, [8, Uint8Array.of(0xff)])]),
    frame: messageOf([3, messageOf(...version, [2, 5])]),
  };
  for (const [where, versions] of Object.entries(broken))
    assert.equal(
      reasonOf(() => createDecoder().decode(frameWith(introduced, [3, versions]))),
      where,
    );
  const twice = frameWith(introduced, [3, messageOf([1, 1])], [3, messageOf([1, 1])]);
  assert.equal(
    reasonOf(() => createDecoder().decode(twice)),
    'frame',
  );
  const besides = frameWith(introduced, [3, messageOf([1, 1])], [13, messageOf([1, 1])]);
  assert.equal(
    reasonOf(() => createDecoder().decode(besides)),
    'frame',
  );
});
