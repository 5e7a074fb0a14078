/**
 * Goal: the NestJS example compiles as strictly as the source, runs to its end, and closes its database.
 * Method: its files in a folder where `entgldb` resolves to the sources; then its program as a user starts it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExampleFolder } from './example-folder.ts';

const example = new ExampleFolder('nestjs');

test('compiles', () => example.assertCompiles());

test('starts, works through the injected services, and stops', async () => {
  const output = await example.run();
  assert.match(output, /told others of user1: \{ name: 'Alice' \}/);
  assert.match(output, /failed: 0, healthy: true/);
});
