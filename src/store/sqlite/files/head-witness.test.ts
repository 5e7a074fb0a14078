/**
 * Goal: a log that ends too early, because one of its bits flipped or somebody removed it, is noticed at open; a crash is not
 * mistaken for that. Method: the files that a killed process leaves, put back with and without damage.
 */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sampleDocument, sampleHead } from '../../../testing/index.ts';
import type { SqliteStore } from '../sqlite-store.ts';
import { neverCopied, openInFolder, withFolder } from '../test-folder.ts';

const WRITES = 5;

async function writeSome(store: SqliteStore): Promise<void> {
  for (let pos = 1; pos <= WRITES; pos++) {
    store.commit({
      head: sampleHead({ seq: pos, pos }),
      chain: true,
      documents: [sampleDocument({ key: `k${pos}`, pos })],
    });
    await store.flush();
  }
}

/** Runs `spoil` on the files that a killed process leaves, and opens them. */
async function openAfterKill(
  folder: string,
  durability: 'full' | 'normal',
  spoil: (logPath: string) => void,
): Promise<SqliteStore> {
  const store = await openInFolder(folder, { durability });
  await writeSome(store);
  const [path, kept] = [join(folder, 'test.db'), join(folder, 'kept')];
  for (const end of ['', '-wal', '.marker']) copyFileSync(path + end, kept + end);
  await store.close();
  // Written in place, since a new file would count as a copy.
  for (const end of ['', '-wal', '.marker']) writeFileSync(path + end, readFileSync(kept + end));
  neverCopied(path);
  spoil(`${path}-wal`);
  return openInFolder(folder, { durability });
}

function flipInTheMiddle(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
}

for (const durability of ['full', 'normal'] as const) {
  test(`durability ${durability}: a killed process has lost nothing, and no loss is reported`, () =>
    withFolder(async (folder) => {
      const store = await openAfterKill(folder, durability, () => {});
      assert.equal(store.identity.isCutBack, undefined);
      assert.equal(store.identity.reason, 'same');
      await store.close();
    }));

  for (const [what, spoil] of [
    ['spoiled by one bit', flipInTheMiddle],
    ['removed', rmSync],
  ] as const) {
    test(`durability ${durability}: a log that was ${what} is noticed, and no seq is used again`, () =>
      withFolder(async (folder) => {
        const store = await openAfterKill(folder, durability, spoil);
        const { isCutBack, fresh, reservedSeq } = store.identity;
        assert.equal(isCutBack, true);
        assert.ok(fresh || reservedSeq >= WRITES, 'a new life, or reserved seqs');
        await store.close();
      }));
  }
}
