/**
 * Goal: schemas that accept the same documents have the same digest, others a different one, and a schema that cannot
 * describe what it accepts has none. Method: validators of three libraries.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import { schemaDigest } from './schema-digest.ts';

test('the digest depends on what the members accept, not on their order', () => {
  const digest = schemaDigest(z.object({ name: z.string(), age: z.number() }));
  assert.match(digest!, /^[0-9a-f]{32}$/);
  assert.equal(schemaDigest(z.object({ age: z.number(), name: z.string() })), digest);
  assert.notEqual(schemaDigest(z.object({ name: z.string(), age: z.number().optional() })), digest);
  assert.notEqual(schemaDigest(z.object({ name: z.string(), age: z.number().int() })), digest);
});

test('the digest depends on the input of a schema, not on its output', () => {
  const plain = z.object({ at: z.string() });
  assert.equal(schemaDigest(z.object({ at: z.string().transform(Number) })), schemaDigest(plain));
});

test('a validator that cannot describe what it accepts has no digest', () => {
  assert.equal(schemaDigest(z.object({ at: z.date() })), null);
  assert.equal(schemaDigest(v.object({ name: v.string() })), null);
  assert.match(schemaDigest(type({ name: 'string' }))!, /^[0-9a-f]{32}$/);
});
