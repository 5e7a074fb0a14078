/** Goal: each example runs in a clone by the command of its README. Method: the README of each, and its command. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../docs/run-program.ts';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** A program that takes this long hangs. */
const DEADLINE_MS = 300_000;

for (const name of readdirSync(join(ROOT, 'examples')))
  test(`${name} runs by the command of its README`, async () => {
    const readme = readFileSync(join(ROOT, 'examples', name, 'README.md'), 'utf8');
    assert.ok(readme.includes(`\`npm run example ${name}\``));
    const args = ['scripts/example.ts', name];
    const { status, output } = await runProgram(process.execPath, args, { cwd: ROOT, deadlineMs: DEADLINE_MS });
    assert.equal(status, 0, output);
  });
