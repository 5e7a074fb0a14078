/**
 * Goal: frames come out of a byte stream however it is cut, and an announced length alone makes the reader take no memory.
 * Method: random frames cut at random from a seed; then announcements without the bytes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../testing/index.ts';
import { FrameReader, frameHeader } from './framing.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);

function streamOf(frames: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(frames.flatMap((frame) => [frameHeader(frame.length), frame]));
}

function readAll(reader: FrameReader, bytes: Uint8Array): Uint8Array[] {
  reader.push(bytes);
  const frames: Uint8Array[] = [];
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame);
  return frames;
}

test('frames survive every way of cutting their stream', () => {
  for (let seed = 0; seed < 300 * SCALE; seed++) {
    const random = createSeededRandom(seed);
    const frames = Array.from({ length: random.integer(1, 8) }, () => random.bytes(random.integer(1, 2000)));
    const stream = streamOf(frames);
    const reader = new FrameReader(2000);
    const read: Uint8Array[] = [];
    const stepMax = random.pick([1, 3, 50, 5000]);
    for (let at = 0; at < stream.length; ) {
      const step = random.integer(1, stepMax);
      read.push(...readAll(reader, stream.subarray(at, at + step)));
      at += step;
    }
    assert.equal(Buffer.compare(streamOf(read), stream), 0, `seed ${seed}`);
    assert.equal(reader.isWithinFrame, false);
    assert.equal(reader.framesBegun, frames.length);
  }
});

test('bytes pushed before earlier ones were read are read in order', () => {
  const reader = new FrameReader(10);
  const stream = streamOf([Uint8Array.of(1), Uint8Array.of(2, 3)]);
  reader.push(stream.subarray(0, 3));
  reader.push(stream.subarray(3, 8));
  const frames = readAll(reader, stream.subarray(8));
  assert.deepEqual(
    frames.map((frame) => [...frame]),
    [[1], [2, 3]],
  );
});

test('a frame above the bound is refused as soon as it is announced', () => {
  assert.throws(() => readAll(new FrameReader(100), frameHeader(101)), { reason: 'MESSAGE_TOO_LARGE' });
  assert.throws(() => readAll(new FrameReader(100), Buffer.from('GET / HTTP/1.1\r\n')), {
    reason: 'MESSAGE_TOO_LARGE',
  });
});

test('an empty frame is refused', () => {
  assert.throws(() => readAll(new FrameReader(100), frameHeader(0)), { reason: 'MESSAGE_INVALID' });
});

test('a thousand announcements of 16 MiB take no memory before their bytes arrive', () => {
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 1000 }, () => {
    const reader = new FrameReader(16 << 20);
    readAll(reader, Buffer.concat([frameHeader(16 << 20), Uint8Array.of(1)]));
    return reader;
  });
  assert.ok(readers.every((reader) => reader.isWithinFrame));
  assert.ok(process.memoryUsage().arrayBuffers - before < 8 << 20);
});
