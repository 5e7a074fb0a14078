/**
 * Goal: the chunks join to the input, do not depend on the pieces that it comes in, keep their bounds, and stay the same
 * around an insertion. Method: random bytes from a seed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../testing/index.ts';
import { CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, Chunker } from './chunker.ts';

function cut(bytes: Uint8Array, pieceBytes: number): Buffer[] {
  const chunker = new Chunker();
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    chunks.push(...chunker.push(bytes.subarray(at, at + pieceBytes)));
  const last = chunker.end();
  return last === undefined ? chunks : [...chunks, last];
}

const random = createSeededRandom(11);
const bytes = Buffer.from(random.bytes(6_000_000));

test('chunks join to the input, keep their bounds, and do not depend on the pieces of the input', () => {
  const whole = cut(bytes, bytes.length);
  assert.deepEqual(Buffer.concat(whole), bytes);
  for (const chunk of whole.slice(0, -1))
    assert.ok(chunk.length >= CHUNK_BYTES_MIN && chunk.length <= CHUNK_BYTES_MAX, `${chunk.length}`);
  const usual = bytes.length / whole.length;
  assert.ok(usual > 90_000 && usual < 180_000, `${usual} bytes a chunk`);
  for (const pieceBytes of [7919, 65_536, 262_144])
    assert.deepEqual(
      cut(bytes, pieceBytes).map((chunk) => chunk.length),
      whole.map((chunk) => chunk.length),
    );
});

test('an insertion changes only the chunks around it', () => {
  const changed = Buffer.concat([bytes.subarray(0, 1_000_000), Buffer.from('inserted'), bytes.subarray(1_000_000)]);
  const before = new Set(cut(bytes, 65_536).map((chunk) => chunk.toString('base64')));
  const added = cut(changed, 65_536).filter((chunk) => !before.has(chunk.toString('base64')));
  assert.ok(added.length <= 2, `${added.length} chunks are new`);
});

test('bytes without any boundary are cut at the maximum size', () => {
  const chunks = cut(Buffer.alloc(1_000_000), 10_000).map((chunk) => chunk.length);
  assert.ok(
    chunks.slice(0, -1).every((length) => length === CHUNK_BYTES_MAX),
    String(chunks),
  );
  assert.deepEqual(cut(Buffer.alloc(0), 10), []);
});
