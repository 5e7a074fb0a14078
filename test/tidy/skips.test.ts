// Goal: a test that cannot run on a machine says so, and none is skipped for another reason. Method: the list against which
// the runner checks skips, with the reasons that tests give here and elsewhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyNoNamespaces } from '../integration/namespaces.ts';
import { whyNoDisk } from '../integration/small-disk.ts';
import { whyNoLan } from '../torture/lan.ts';
import { straceProblem } from '../torture/strace.ts';

const { unlistedSkips } = (await import(new URL('../../scripts/skips.mjs', import.meta.url).href)) as {
  unlistedSkips(skips: readonly { readonly name: string; readonly skip: string | boolean }[]): string[];
};

test('reasons about what a machine lacks are listed; every other reason to skip a test fails the run', () => {
  const here = [whyNoNamespaces(), whyNoDisk(), whyNoLan(), straceProblem() ?? undefined];
  const listed = [
    'strace is not installed',
    'network namespaces need root',
    ...here.filter((why) => why !== undefined),
  ];
  assert.deepEqual(unlistedSkips(listed.map((skip) => ({ name: 'a test', skip }))), []);
  for (const skip of [true, 'flaky', 'later']) assert.equal(unlistedSkips([{ name: 'a test', skip }]).length, 1);
});
