// Goal: who has too old a Node is told so, and the floor is that of the manifest. Method: versions by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import manifest from '../../package.json' with { type: 'json' };
import { assertNodeVersion } from './node-version.ts';

test('a Node below the minimum in package.json is refused, naming its version; others are not', () => {
  const floor = manifest.engines.node.replace('>=', '');
  const refusal = {
    reason: 'USAGE',
    message: `this is Node 20.20.2, and EntglDb needs ${floor} or later; install that`,
  };
  assert.throws(() => assertNodeVersion('20.20.2'), refusal);
  assert.throws(() => assertNodeVersion('22.17.9'), /needs 22\.18/);
  for (const version of [`${floor}.0`, '23.0.0', '24.21.0', process.versions.node]) assertNodeVersion(version);
});
