/**
 * Goal: a manual backup is written inside the backup folder or not at all, whatever its name and whatever links lie there.
 * Method: names that users and attackers might give, on real folders and links.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { backupFiles } from '../../node/files/index.ts';
import { withFolder } from '../../store/sqlite/test-folder.ts';
import { resolveBackupPath } from './index.ts';

const setUp = (base: string) => {
  const place = { base, folder: join(base, 'backups'), databasePath: join(base, 'entgldb.db') };
  return { place, resolve: (name: string) => resolveBackupPath(backupFiles, place, name) };
};

test('a relative, a bare and an absolute name lie in the folder, which is created', () =>
  withFolder(async (base) => {
    const { place, resolve } = setUp(base);
    assert.equal(await resolve('backups/backup-20260115.db'), join(place.folder, 'backup-20260115.db'));
    assert.equal(await resolve('before update.db'), join(place.folder, 'before update.db'));
    assert.equal(await resolve(join(place.folder, 'weekly/säge.db')), join(place.folder, 'weekly', 'säge.db'));
    assert.ok(existsSync(join(place.folder, 'weekly')));
  }));

test('a name that leads anywhere else is refused, and nothing is created there', () =>
  withFolder(async (base) => {
    const { resolve } = setUp(base);
    const names = [
      '',
      '.',
      '..',
      '../x.db',
      'backups/../x.db',
      'backups/../backups/x.db',
      'backups/a/../../../x.db',
      'backups\\..\\x.db',
      'elsewhere/x.db',
      './x.db',
      '/etc/passwd',
      join(base, 'backups-evil', 'x.db'),
      join(base, 'x.db'),
      'x\0.db',
      'backups/x\0.db',
      'x\n.db',
      'backups/C:x.db',
      'a:stream.db',
      'nul.db',
      'backups/COM1',
      'x.db.',
      'x.db ',
      `${'x'.repeat(300)}.db`,
    ];
    for (const name of names) {
      await assert.rejects(resolve(name), { reason: 'INVALID_NAME' }, JSON.stringify(name));
    }
    assert.ok(!existsSync(join(base, 'elsewhere')));
    assert.ok(!existsSync(join(base, 'backups-evil')));
  }));

test('names that automatic backups use are refused', () =>
  withFolder(async (base) => {
    const { resolve } = setUp(base);
    for (const name of [
      'latest.db',
      'backups/latest.db',
      'auto-20260115T103000Z.db',
      'auto-20260115T103000Z-2.db',
      'x.partial',
    ])
      await assert.rejects(resolve(name), { reason: 'INVALID_NAME' }, name);
    assert.ok(await resolve('auto-pilot.db'));
  }));

test('a link below the folder is not followed; the folder itself may be one', () =>
  withFolder(async (base) => {
    const { place, resolve } = setUp(base);
    mkdirSync(join(base, 'disk2'));
    symlinkSync(join(base, 'disk2'), place.folder);
    assert.equal(await resolve('x.db'), join(base, 'disk2', 'x.db'));
    mkdirSync(join(base, 'outside'));
    symlinkSync(join(base, 'outside'), join(place.folder, 'way'));
    await assert.rejects(resolve('backups/way/x.db'), { reason: 'INVALID_NAME' });
    writeFileSync(join(base, 'outside', 'target.db'), '');
    symlinkSync(join(base, 'outside', 'target.db'), join(place.folder, 'link.db'));
    await assert.rejects(resolve('link.db'), { reason: 'INVALID_NAME' });
    writeFileSync(join(place.folder, 'file'), '');
    await assert.rejects(resolve('backups/file/x.db'), { reason: 'INVALID_NAME' });
  }));

test('the files of the database are never a target, even if backups lie beside them', () =>
  withFolder(async (base) => {
    writeFileSync(join(base, 'entgldb.db'), '');
    const place = { base, folder: base, databasePath: join(base, 'entgldb.db') };
    for (const name of ['entgldb.db', 'entgldb.db-wal', 'entgldb.db.marker'])
      await assert.rejects(resolveBackupPath(backupFiles, place, name), { reason: 'INVALID_NAME' }, name);
    assert.equal(await resolveBackupPath(backupFiles, place, 'other.db'), join(base, 'other.db'));
  }));
