/**
 * Goal: a number stands for the name that it was given to, or the database counts as damaged. Method: both tables of names in
 * memory; copying rows from one to the other simulates a swapped page.
 */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { type CollectionName, createReplicaId } from '../../../core/ids/index.ts';
import { createSeededRandom } from '../../../testing/index.ts';
import { createCollectionDictionary, createReplicaDictionary } from './dictionary.ts';
import { rowSum } from './row-sum.ts';

function openTables(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  for (const table of ['collection', 'replica'])
    db.exec(`CREATE TABLE ${table}(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, sum INTEGER NOT NULL)`);
  return db;
}

test('names keep their numbers', () => {
  const db = openTables();
  const users = 'users' as CollectionName;
  const id = createCollectionDictionary(db).idOf(users);
  const again = createCollectionDictionary(db);
  assert.equal(again.knownId(users), id);
  assert.equal(again.nameOf(id), users);
  assert.equal(again.knownId('others' as CollectionName), undefined);
});

test('names of replicas in the table of collections count as damage, although each could be the name of a collection', () => {
  const db = openTables();
  createReplicaDictionary(db).idOf(createReplicaId(createSeededRandom(1)));
  db.exec('INSERT INTO collection SELECT * FROM replica');
  assert.throws(() => createCollectionDictionary(db).knownId('users' as CollectionName), /does not fit its sum/);
});

test('rows of older files, whose sum does not include the table, are read', () => {
  const db = openTables();
  db.prepare('INSERT INTO collection VALUES(1, ?, ?)').run('users', rowSum(1, 'users'));
  assert.equal(createCollectionDictionary(db).nameOf(1), 'users');
});

test('a refresh finds names that another connection has added, without reading known ones again', () => {
  const db = openTables();
  const writer = createCollectionDictionary(db);
  const reader = createCollectionDictionary(db);
  const id = writer.idOf('users' as CollectionName);
  assert.equal(reader.knownId('users' as CollectionName), id);
  const next = writer.idOf('orders' as CollectionName);
  db.exec("UPDATE collection SET sum = 0 WHERE name = 'users'");
  reader.refresh();
  assert.equal(reader.nameOf(next), 'orders');
  assert.equal(reader.nameOf(id), 'users');
});
