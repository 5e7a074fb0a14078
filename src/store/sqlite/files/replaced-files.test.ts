/**
 * Goal: whatever cuts a restore off, what was replaced is kept once, and copies of what is still in place are not, also on a file system
 * without links. Method: files of a few letters, and a link that fails.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withFolder } from '../test-folder.ts';
import { incomingPathOf, keepReplaced, removeInterruptedRestore } from './index.ts';

const NOW_MS = 1000;

const noLinks = (): never => {
  throw Object.assign(new Error('not permitted'), { code: 'EPERM' });
};

/** Replaces a database until just before or after its exchange. */
async function cutOff(isExchanged: boolean, run: (path: string, names: () => string[]) => void): Promise<void> {
  await withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    for (const suffix of ['', '-wal', '.replaced-1', '.replaced-1-wal']) writeFileSync(path + suffix, `old${suffix}`);
    writeFileSync(incomingPathOf(path), 'new');
    keepReplaced(path, NOW_MS, noLinks);
    if (isExchanged) renameSync(incomingPathOf(path), path);
    run(path, () => readdirSync(folder).sort());
  });
}

test('without links, a restore cut off before the exchange leaves no copies, and those of an earlier one stay', () =>
  cutOff(false, (path, names) => {
    removeInterruptedRestore(path);
    assert.deepEqual(names(), ['test.db', 'test.db-wal', 'test.db.replaced-1', 'test.db.replaced-1-wal']);
    assert.equal(readFileSync(path, 'utf8'), 'old');
  }));

test('without links, a restore cut off after the exchange keeps what was replaced', () =>
  cutOff(true, (path) => {
    removeInterruptedRestore(path);
    assert.equal(readFileSync(path, 'utf8'), 'new');
    assert.equal(readFileSync(`${path}.replaced-${NOW_MS}`, 'utf8'), 'old');
    assert.equal(readFileSync(`${path}.replaced-${NOW_MS}-wal`, 'utf8'), 'old-wal');
  }));

test('without links, a restore keeps what it replaced, and one that is refused leaves nothing', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    for (const suffix of ['', '-wal']) writeFileSync(path + suffix, `old${suffix}`);
    keepReplaced(path, NOW_MS, noLinks).undo();
    assert.deepEqual(readdirSync(folder).sort(), ['test.db', 'test.db-wal']);
    const replaced = keepReplaced(path, NOW_MS, noLinks);
    replaced.finish();
    assert.equal(readFileSync(replaced.aside!, 'utf8'), 'old');
    assert.deepEqual(readdirSync(folder).sort(), [
      'test.db',
      `test.db.replaced-${NOW_MS}`,
      `test.db.replaced-${NOW_MS}-wal`,
    ]);
  }));
