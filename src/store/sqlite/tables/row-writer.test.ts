/**
 * Goal: rows written together leave the same table as rows written one by one. Method: groups in which some keys exist
 * already, at every position, and counted statements.
 */
import assert from 'node:assert/strict';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { test } from 'node:test';
import { ROWS_PER_STATEMENT, RowWriter } from './row-writer.ts';
import { migrate } from './schema.ts';

/** Counts the statements that are run. */
class CountedDatabase extends DatabaseSync {
  runs = 0;

  override prepare(sql: string): StatementSync {
    const statement = super.prepare(sql);
    const run = statement.run.bind(statement) as (...values: unknown[]) => ReturnType<StatementSync['run']>;
    const counted = (...values: unknown[]): ReturnType<StatementSync['run']> => {
      this.runs++;
      return run(...values);
    };
    return Object.assign(statement, { run: counted });
  }
}

function openTable(): { db: CountedDatabase; rows: RowWriter } {
  const db = new CountedDatabase(':memory:');
  migrate(db);
  return { db, rows: new RowWriter(db) };
}

function rowOf(key: string, pos: number): SQLInputValue[] {
  return [1, key, pos, 2, pos, 0, 10 * pos, null, null, null, null, null, new Uint8Array([pos]), 7, `{"pos":${pos}}`];
}

function writeAll(rows: RowWriter, keys: readonly string[], firstPos: number, areNew: boolean): void {
  rows.begin(areNew);
  keys.forEach((key, i) => {
    let end = rows.end;
    for (const value of rowOf(key, firstPos + i)) rows.values[end++] = value;
    rows.added(end);
  });
  rows.flush();
}

function held(db: DatabaseSync): Record<string, unknown> {
  const found = db.prepare('SELECT key, pos, seq, hlc, value FROM doc').all();
  return Object.fromEntries(found.map(({ key, ...rest }) => [key, { ...rest }]));
}

const keysOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `key ${i}`);

test('new rows are written several per statement, the last few one by one', () => {
  const { db, rows } = openTable();
  writeAll(rows, keysOf(3 * ROWS_PER_STATEMENT + 2), 1, true);
  assert.equal(db.runs, 3 + 2);
  assert.equal(Object.keys(held(db)).length, 3 * ROWS_PER_STATEMENT + 2);
});

test('existing rows are replaced, whatever their position among new ones and whatever was expected', () => {
  for (const areNew of [true, false])
    for (let place = 0; place < ROWS_PER_STATEMENT; place++) {
      const { db, rows } = openTable();
      const former = [`key ${place}`, `key ${ROWS_PER_STATEMENT + place}`, 'another'];
      for (const [i, key] of former.entries()) rows.write(rowOf(key, 1 + i));
      const keys = keysOf(2 * ROWS_PER_STATEMENT + place);
      writeAll(rows, keys, 100, areNew);
      const { db: alone, rows: one } = openTable();
      for (const [i, key] of former.entries()) one.write(rowOf(key, 1 + i));
      for (const [i, key] of keys.entries()) one.write(rowOf(key, 100 + i));
      assert.deepEqual(held(db), held(alone));
    }
});

test('after a group with existing rows, later groups of the same batch are not tried as new', () => {
  const { db, rows } = openTable();
  writeAll(rows, keysOf(4 * ROWS_PER_STATEMENT), 1, true);
  db.runs = 0;
  writeAll(rows, keysOf(4 * ROWS_PER_STATEMENT), 100, true);
  assert.equal(db.runs, 1 + 4);
  db.runs = 0;
  writeAll(rows, keysOf(4 * ROWS_PER_STATEMENT), 200, false);
  assert.equal(db.runs, 4);
});

test('a violated constraint throws, and is not ignored', () => {
  const { rows } = openTable();
  rows.begin(true);
  const write = (): void => {
    for (let i = 0; i < ROWS_PER_STATEMENT; i++) {
      let end = rows.end;
      for (const value of rowOf(`key ${i}`, 1 + i)) rows.values[end++] = value;
      // One row lacks its sum.
      if (i === 5) rows.values[end - 2] = null;
      rows.added(end);
    }
  };
  assert.throws(write, /NOT NULL constraint failed: doc.sum/);
});

test('nothing left over from a failed batch is written with the next one or kept in memory', () => {
  const { db, rows } = openTable();
  rows.begin(true);
  let end = rows.end;
  for (const value of rowOf('left over', 1)) rows.values[end++] = value;
  rows.added(end);
  writeAll(rows, keysOf(ROWS_PER_STATEMENT + 1), 10, true);
  assert.equal(held(db)['left over'], undefined);
  assert.ok(rows.values.every((value) => value === null));
});
