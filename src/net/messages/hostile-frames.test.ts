/**
 * Goal: the worst that any bytes can do is to be refused: no other error, at most 50 ms per input, bounded memory.
 * Method: valid frames changed at random; random bytes; bombs made by hand. The seed is printed with a failure.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { isEntglDbError } from '../../core/errors/index.ts';
import { createSeededRandom } from '../../testing/index.ts';
import { createDecoder, createEncoder, type Message, WIRE_LIMITS } from './index.ts';
import { anyMessage, frameOf, reasonOf } from './test-messages.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);
const MUTATIONS = 100_000 * SCALE;
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? 20_261_123);

/** Requires a message or MESSAGE_INVALID. */
function decodeHostile(frame: Uint8Array, decoder = createDecoder()): Message | undefined {
  try {
    return decoder.decode(frame);
  } catch (error) {
    if (!isEntglDbError(error, 'MESSAGE_INVALID')) throw error;
    return undefined;
  }
}

/** Ten times the goal, so that only a frame made to be slow exceeds it, and not a slow machine. */
const TOOK_MS_MAX = 500;

/** Requires as well that it does not take long; other work on the machine may delay one try, but not three. */
function decodeHostileSoon(frame: Uint8Array, decoder?: ReturnType<typeof createDecoder>): Message | undefined {
  const before = performance.now();
  const message = decodeHostile(frame, decoder);
  let tookMs = performance.now() - before;
  for (let tries = 0; tookMs > TOOK_MS_MAX && tries < 2; tries++) {
    const again = performance.now();
    decodeHostile(frame);
    tookMs = Math.min(tookMs, performance.now() - again);
  }
  assert.ok(tookMs <= TOOK_MS_MAX, `${frame.length} bytes took ${tookMs.toFixed(1)} ms; seed ${SEED}`);
  return message;
}

test('a random change to a valid frame can at worst make it invalid', () => {
  const random = createSeededRandom(SEED);
  const samples = fc.sample(anyMessage, { numRuns: 400, seed: SEED });
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

test('bombs of 16 MiB are refused quickly, whatever they are made of', () => {
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
    const [where] = reasonOf(() => createDecoder().decode(bomb)).split('.');
    // A bomb of empty entries is refused at the first entry that must not be empty, before it reaches a bound.
    assert.ok(where === 'frame' || where === 'version', `${name}: ${where}`);
    assert.equal(decodeHostileSoon(bomb), undefined, name);
  }
});
