/**
 * Goal: every safe integer survives encoding and decoding; invalid bytes are refused, not misread.
 * Method: properties; directed cases at the bounds.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeVarints, encodeVarints } from './varint.ts';

test('decoding gives back the encoded numbers', () => {
  const number = fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.constantFrom(0, 127, 128, 2 ** 31, 2 ** 32, 2 ** 53 - 1));
  fc.assert(
    fc.property(fc.array(number), (numbers) => {
      assert.deepEqual(decodeVarints(encodeVarints(numbers)), numbers);
    }),
  );
});

test('small numbers take one byte', () => {
  assert.deepEqual([...encodeVarints([0, 1, 127])], [0, 1, 127]);
  assert.deepEqual([...encodeVarints([128])], [0x80, 1]);
});

test('bytes that end within a number, or encode one beyond 2^53, are refused', () => {
  assert.throws(() => decodeVarints(Uint8Array.of(1, 0x80)), RangeError);
  assert.throws(() => decodeVarints(new Uint8Array(9).fill(0xff)), RangeError);
});
