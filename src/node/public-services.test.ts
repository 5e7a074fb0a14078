/**
 * Goal: a program that awaits nothing but a retry stays alive until then.
 * Method: a process of its own, with two failures and short delays.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

test('a process stays alive for a retry that it awaits', async () => {
  const script = `
    import { RetryPolicy } from ${JSON.stringify(new URL('public-services.ts', import.meta.url).href)};
    const refused = () => Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const retry = new RetryPolicy({ maxAttempts: 3, delayMs: 20 });
    console.log(await retry.execute((attempt) => { if (attempt < 3) throw refused(); return 'attempt ' + attempt; }, 'TCP Connect'));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  assert.equal(stdout, 'attempt 3\n');
});
