/**
 * Goal: if a full disk interrupts raising the generation, the file never looks like another one.
 * Method: the keeper on real files, with a main file that refuses to become durable when the test says so.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { silentLogger } from '../../core/logging/index.ts';
import { sampleHead, sampleReplica } from '../../testing/index.ts';
import { isOtherOrigin, markerPathOf, readOrigins } from './files/index.ts';
import { IdentityKeeper, type IdentityOptions } from './identity-keeper.ts';
import { migrate } from './tables/schema.ts';
import { Tables } from './tables.ts';
import { withFolder } from './test-folder.ts';

/** SQLITE_FULL, as node:sqlite throws it. */
const diskFull = Object.assign(new Error('database or disk is full'), { errcode: 13 });

interface Disk {
  isFull: boolean;
}

function openTables(path: string): Tables {
  const db = new DatabaseSync(path);
  migrate(db);
  return new Tables(db, { chainLengthMax: 10, goneLogMax: 10 });
}

function openKeeper(path: string, tables: Tables, disk: Disk, options: Partial<IdentityOptions> = {}): IdentityKeeper {
  return IdentityKeeper.open(tables, {
    path,
    machineId: 'machine',
    nowMs: 0,
    block: 0,
    makeDurable: () => {
      if (disk.isFull) throw diskFull;
    },
    witness: undefined,
    isRedoCut: false,
    logger: silentLogger,
    ...options,
  });
}

function commitHead(tables: Tables, keeper: IdentityKeeper, replica = sampleReplica(1)): void {
  const head = sampleHead({ replica, seq: 1 });
  keeper.beforeCommit();
  tables.transactions.settleWith(() => {
    tables.apply({ head });
    keeper.unseal(tables, head);
  });
  keeper.adopt(head);
}

test('a database opened on a full disk, even repeatedly, stays the same', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const disk = { isFull: false };
    const tables = openTables(path);
    commitHead(tables, openKeeper(path, tables, disk));
    disk.isFull = true;
    for (let i = 0; i < 3; i++) {
      const keeper = openKeeper(path, tables, disk);
      assert.equal(keeper.identity.reason, 'same');
      assert.throws(() => commitHead(tables, keeper), diskFull);
      assert.throws(() => keeper.close(tables), diskFull);
    }
    disk.isFull = false;
    const keeper = openKeeper(path, tables, disk);
    assert.equal(keeper.identity.reason, 'same');
    commitHead(tables, keeper);
    keeper.close(tables);
    assert.equal(openKeeper(path, tables, disk).identity.reason, 'same');
  }));

test('while a copy takes its new identity, the marker knows every origin that the main file may name', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const marker = markerPathOf(path);
    const tables = openTables(path);
    const first = openKeeper(path, tables, { isFull: false });
    commitHead(tables, first);
    first.close(tables);
    const origins = [tables.meta.get('origin')];
    // Each opening is cut off while the main file becomes durable: then it holds old pages and new ones.
    for (const nowMs of [1, 2]) {
      const cut = (): void => {
        origins.push(tables.meta.get('origin'));
        throw new Error('cut off');
      };
      assert.throws(() =>
        openKeeper(path, tables, { isFull: false }, { machineId: `copy ${nowMs}`, nowMs, makeDurable: cut }),
      );
      for (const origin of origins) assert.equal(isOtherOrigin(origin, readOrigins(marker)), false);
    }
    assert.equal(new Set(origins).size, 3);
    assert.equal(isOtherOrigin('another', readOrigins(marker)), true);
    openKeeper(path, tables, { isFull: false }, { machineId: 'copy 3', nowMs: 3 });
    assert.deepEqual(readOrigins(marker), [tables.meta.get('origin')]);
  }));

test('writing continues in the same life when there is space again', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const disk = { isFull: true };
    const tables = openTables(path);
    const keeper = openKeeper(path, tables, disk);
    assert.throws(() => commitHead(tables, keeper), diskFull);
    disk.isFull = false;
    commitHead(tables, keeper);
    assert.equal(openKeeper(path, tables, disk).identity.reason, 'same');
  }));

test('a copy that needs a new id still needs it after a full disk or a crash at any step', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const disk = { isFull: false };
    const tables = openTables(path);
    commitHead(tables, openKeeper(path, tables, disk));
    tables.transactions.settleWith(() => tables.meta.set('sealed', '1'));
    for (const isFull of [true, false, true]) {
      disk.isFull = isFull;
      const keeper = openKeeper(path, tables, disk);
      assert.equal(keeper.identity.fresh, true);
      if (!isFull) commitHead(tables, keeper);
    }
    disk.isFull = false;
    const keeper = openKeeper(path, tables, disk);
    assert.equal(keeper.identity.fresh, true, 'a commit under the old id is no new life');
    commitHead(tables, keeper, sampleReplica(2));
    assert.equal(openKeeper(path, tables, disk).identity.reason, 'same');
  }));
