/**
 * Goal: a path that holds the wrong kind of thing gets one sentence that says which thing and what to do. Method: real files; settings
 * that lead to them.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withFolder } from '../../store/sqlite/test-folder.ts';
import { openDatabase } from '../open-database.ts';
import { pathProblem } from './index.ts';

function fill(folder: string): void {
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'folder'));
  symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
  symlinkSync(join(folder, 'folder'), join(folder, 'good-link'));
}

test('a path is all right if it is of its kind, or can be made', () =>
  withFolder(async (folder) => {
    fill(folder);
    for (const path of ['folder', 'good-link', 'new', 'folder/new/newer'])
      assert.equal(await pathProblem(join(folder, path), 'folder'), undefined, path);
    for (const path of ['file', 'new', 'good-link/new', 'new/newer'])
      assert.equal(await pathProblem(join(folder, path), 'file'), undefined, path);
  }));

const noPipes = process.platform === 'win32' && 'pipes have no names in folders there';
test('otherwise the thing in the way is named, at the path or above it', { skip: noPipes }, () =>
  withFolder(async (folder) => {
    fill(folder);
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const away = 'move it away, or choose another path';
    for (const [path, kind, at, what] of [
      ['file', 'folder', 'file', `is a file, and a folder belongs there; ${away}`],
      ['file/new/newer', 'file', 'file', `is a file, and a folder belongs there; ${away}`],
      ['folder', 'file', 'folder', `is a folder, and a file belongs there; ${away}`],
      ['pipe', 'file', 'pipe', `is a pipe or a device, and a file belongs there; ${away}`],
      ['link', 'file', 'link', 'is a link to something that is not there; is its disk mounted?'],
      ['link/new', 'folder', 'link', 'is a link to something that is not there; is its disk mounted?'],
    ] as const)
      assert.equal(await pathProblem(join(folder, path), kind), `${join(folder, at)} ${what}`);
  }),
);

test('the error of a database or a backup names the setting and the path, and nothing is changed', () =>
  withFolder(async (folder) => {
    fill(folder);
    const at = (name: string): string => join(folder, name);
    for (const [databasePath, path] of [
      [at('file/data.db'), at('file')],
      [at('folder'), at('folder')],
      [at('link'), at('link')],
    ] as const)
      await assert.rejects(openDatabase({ network: false, persistence: { databasePath } }), (error: Error) => {
        assert.equal((error as Error & { reason: string }).reason, 'IO_FAILED');
        return error.message.startsWith(`Persistence.DatabasePath: ${path} is a `);
      });
    assert.equal(readlinkSync(at('link')), at('nowhere'));
    for (const name of ['file', 'link']) {
      const persistence = { databasePath: at('folder/data.db'), backupPath: at(name) };
      await using db = await openDatabase({ network: false, persistence });
      const named = (error: Error): boolean => error.message.startsWith(`Persistence.BackupPath: ${at(name)} is a `);
      for (const backup of [null, 'mine.db']) await assert.rejects(db.backup(backup), named);
    }
    await using db = await openDatabase({ network: false, persistence: { databasePath: at('folder/data.db') } });
    await assert.rejects(db.backup(at('file/mine.db')), { message: /file is a file, and a folder belongs there/ });
  }));
