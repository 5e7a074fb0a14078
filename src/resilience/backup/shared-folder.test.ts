/**
 * Goal: nodes that use one folder for their backups neither remove, count nor restore each other's. Method: services on real files whose
 * text is the list of lives, the newest first, as a backup would say it.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { backupFiles } from '../../node/files/index.ts';
import { withFolder } from '../../store/sqlite/test-folder.ts';
import { createManualClock } from '../../testing/index.ts';
import { BackupService, type DatabaseState } from './index.ts';

/** 2026-01-15T10:30:00Z */
const START_MS = 1_768_473_000_000;
const HOUR = 3_600_000;

/** The state with these lives, the newest first, each with a letter for its node and, after an `@`, the position at its end. */
function stateOf([newest, ...former]: readonly string[]): DatabaseState {
  const parse = (life: string): [replica: string, pos: number] => {
    const [replica, pos = '0'] = life.split('@');
    return [replica!, Number(pos)];
  };
  const [replica, pos] = parse(newest!);
  return { replica, pos, former: new Map(former.map(parse)), node: replica[0]! };
}

/** A place for backups, and services of databases with these lives, the newest first. */
function setUp(base: string) {
  const clock = createManualClock({ startMs: START_MS });
  const folder = join(base, 'backups');
  const serviceOf = (lives: readonly string[], isOpen = true): BackupService =>
    new BackupService({
      ...{ folder, base, databasePath: 'x', retention: 2, clock },
      database: { flush: async () => {}, backup: async (path) => writeFileSync(path, lives.join(' ')) },
      files: backupFiles,
      verify: async (path) => (readFileSync(path, 'utf8').endsWith('damaged') ? ['damage'] : []),
      stateIn: async (path) => {
        const text = readFileSync(path, 'utf8');
        return text.startsWith('no backup') ? undefined : stateOf(text.split(' '));
      },
      own: () => ({ ...stateOf(isOpen ? lives : lives.slice(0, 1)), isOpen }),
    });
  const contents = (): string[] =>
    readdirSync(folder)
      .filter((name) => name.startsWith('auto-'))
      .map((name) => readFileSync(join(folder, name), 'utf8'));
  return { clock, folder, serviceOf, contents };
}

test('each node removes only its own backups, also those of its earlier lives, and none that it cannot read', () =>
  withFolder(async (base) => {
    const { clock, folder, serviceOf, contents } = setUp(base);
    mkdirSync(folder);
    writeFileSync(join(folder, 'auto-20250101T000000Z.db'), 'no backup at all');
    for (const lives of [['a1'], ['b'], ['a2', 'a1'], ['b'], ['a2', 'a1'], ['b'], ['a2', 'a1']]) {
      clock.advance(HOUR);
      await serviceOf(lives).automatic();
    }
    assert.deepEqual(contents(), ['no backup at all', 'b', 'a2 a1', 'b', 'a2 a1']);
  }));

test('a backup of another node does not put off the own one', () =>
  withFolder(async (base) => {
    const { clock, serviceOf } = setUp(base);
    await serviceOf(['a']).automatic();
    clock.advance(HOUR);
    await serviceOf(['b']).automatic();
    const again = serviceOf(['a']);
    await again.findLast();
    assert.equal(again.lastBackupAt, START_MS);
    const newcomer = serviceOf(['c']);
    await newcomer.findLast();
    assert.equal(newcomer.lastBackupAt, null);
  }));

test('a damaged database is never replaced by that of another node', () =>
  withFolder(async (base) => {
    const { clock, folder, serviceOf } = setUp(base);
    const found = async (lives: readonly string[], isOpen = false): Promise<string | undefined> => {
      const good = await serviceOf(lives, isOpen).newestGood();
      return good && readFileSync(good.path, 'utf8');
    };
    const make = async (...lives: string[]): Promise<void> => {
      clock.advance(HOUR);
      await serviceOf(lives).automatic();
    };
    await make('a1');
    assert.equal(await found(['a2', 'a1']), 'a1', 'of one database: it may have begun a life since');
    await make('a2', 'a1');
    assert.equal(await found(['a3']), 'a2 a1');
    await make('b');
    assert.equal(await found(['a2']), 'a2 a1', 'not the newer one of b');
    assert.equal(await found(['b']), 'b');
    assert.equal(await found(['a3']), undefined, 'it may be of either');
    assert.equal(await found(['c'], true), undefined);
    const name = readdirSync(folder).find((each) => readFileSync(join(folder, each), 'utf8') === 'a2 a1')!;
    writeFileSync(join(folder, name), 'a2 a1 damaged');
    assert.equal(await found(['a2']), 'a1', 'the life before, as the damaged one still says');
  }));

test('a database that was restored from the backup of another node leaves what that one has made since', () =>
  withFolder(async (base) => {
    const { clock, folder, serviceOf, contents } = setUp(base);
    const make = async (...lives: string[]): Promise<void> => {
      clock.advance(HOUR);
      await serviceOf(lives).automatic();
    };
    const found = async (...lives: string[]): Promise<string | undefined> => {
      const good = await serviceOf(lives, false).newestGood();
      return good && readFileSync(good.path, 'utf8');
    };
    await make('b1@5');
    await make('b1@7');
    for (let i = 0; i < 3; i++) await make('a2@9', 'b1@5');
    assert.deepEqual(contents(), ['b1@7', 'a2@9 b1@5', 'a2@9 b1@5'], 'the one that it came from is its own');
    await make('b1@8');
    await make('b1@9');
    assert.equal(await found('a2'), 'a2@9 b1@5');
    assert.equal(await found('a3'), undefined, 'it may be of either');
    const again = serviceOf(['a2', 'b1@5']);
    await again.findLast();
    assert.equal(again.lastBackupAt, START_MS + 5 * HOUR);
    // One that has returned to an earlier state of its own still keeps, counts and removes the later ones.
    await make('b2@9', 'b1@5');
    await make('b2@9', 'b1@5');
    assert.deepEqual(contents(), Array.from({ length: 2 }, () => 'a2@9 b1@5').concat('b2@9 b1@5', 'b2@9 b1@5'));
    assert.equal(readdirSync(folder).includes('latest.db'), true);
  }));

test('what another node may be writing is not removed', () =>
  withFolder(async (base) => {
    const { clock, folder, serviceOf } = setUp(base);
    await serviceOf(['a']).automatic();
    const names = ['auto-20260115T120000Z.db.partial', 'auto-20260115T130000Z.db.partial'];
    const [old, fresh] = names.map((name) => join(folder, name)) as [string, string];
    const writePartials = (): void => {
      for (const path of [old, fresh]) writeFileSync(path, 'half');
      utimesSync(old, START_MS / 1000 - 7200, START_MS / 1000 - 7200);
      utimesSync(fresh, START_MS / 1000, START_MS / 1000);
    };
    const partials = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.partial'));
    writePartials();
    await serviceOf(['a']).removePartial();
    assert.deepEqual(partials(), [], 'the folder is of one node: nobody writes them');
    const ofB = join(folder, 'auto-20260115T130000Z.db.b.partial');
    const ofA = join(folder, 'auto-20260115T130000Z.db.a.partial');
    for (const path of [ofA, ofB]) writeFileSync(path, 'half');
    utimesSync(ofB, START_MS / 1000, START_MS / 1000);
    await serviceOf(['a']).removePartial();
    assert.deepEqual(partials(), ['auto-20260115T130000Z.db.b.partial'], 'the first backup of b may be under way');
    await serviceOf(['b']).removePartial();
    assert.deepEqual(partials(), []);
    await serviceOf(['b']).automatic();
    writePartials();
    await serviceOf(['a']).removePartial();
    assert.deepEqual(partials(), [names[1]]);
    clock.advance(2 * HOUR);
    await serviceOf(['a']).removePartial();
    assert.deepEqual(partials(), []);
  }));
