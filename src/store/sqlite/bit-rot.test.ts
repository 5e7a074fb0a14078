/**
 * Goal: after a flipped bit anywhere in the file, every read is right or throws an error of this library; a check finds
 * what makes reads fail.
 * Method: a golden file in which one random bit is flipped at a time; every read is compared with the untouched file.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { isEntglDbError } from '../../core/errors/index.ts';
import { parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import { createSeededRandom, sampleCheck, sampleDocument, sampleHead, sampleReplica } from '../../testing/index.ts';
import type { Damage, Store } from '../store.ts';
import { openInFolder, withFolder } from './test-folder.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);
const FLIPS = 60 * SCALE;
const COUNT = 40;
const PAGE_BYTES = 4096;
const C = parseCollectionName('c');
const R2 = sampleReplica(2);
const keys = Array.from({ length: COUNT }, (_, i) => parseDocumentKey(`key ${i}`));

/** Every kind of read of the port, each by itself. */
const READS: Readonly<Record<string, (store: Store) => unknown>> = {
  load: (store) => store.load(),
  ...Object.fromEntries(keys.map((key) => [key, (store: Store) => store.get(C, key)])),
  documents: (store) => store.documents(C, null, 1000),
  changes: (store) => store.changes(0, 1000),
  delta: (store) => store.delta(C, R2, 0, 1000),
  liveReplicas: (store) => store.liveReplicas(C),
  dead: (store) => store.dead(1e12, 1000),
  chain: (store) => [store.chainFrom(), store.chainCheck(COUNT)],
  entries: (store) => store.entries('queue', 0, 1000),
  gone: (store) => store.gone(0, 1000),
};

async function writeOriginal(folder: string): Promise<Map<string, unknown>> {
  const store = await openInFolder(folder);
  store.commit({
    head: sampleHead({ seq: COUNT, pos: COUNT, check: sampleCheck(7) }),
    chain: true,
    documents: keys.map((key, i) =>
      sampleDocument({
        key,
        pos: i + 1,
        ...(i % 5 === 0 ? { versions: [{ seq: i + 1, context: [{ replica: R2, first: 1, last: 9 }] }] } : {}),
        ...(i % 7 === 0 ? { versions: [{ seq: i + 1, value: null }], value: null } : {}),
        ...(i % 9 === 0 ? { versions: [{ seq: i + 1 }, { replica: R2, seq: i + 1 }] } : {}),
      }),
    ),
    collections: [
      { name: C, state: 'wanted', documents: COUNT, fingerprint: { count: 1, lanes: [1, 2, 3, 4] }, resolver: 'lww@1' },
    ],
    knowledge: [{ collection: C, replica: R2, seq: 99, check: null }],
    entries: [{ space: 'queue', id: 1, data: '{"type":"put"}' }],
    removed: [{ collection: C, key: parseDocumentKey('gone'), pos: 999, why: 'purged', deadSince: null }],
  });
  const truth = new Map(Object.entries(READS).map(([name, read]) => [name, read(store)]));
  await store.close();
  return truth;
}

/** Names of the reads that returned something wrong instead of throwing. */
function liesOf(store: Store, truth: ReadonlyMap<string, unknown>): string[] {
  return Object.entries(READS)
    .filter(([name, read]) => {
      try {
        return !isDeepStrictEqual(read(store), truth.get(name));
      } catch (error) {
        if (!isEntglDbError(error, 'PERSISTENCE_ERROR')) throw error;
        return false;
      }
    })
    .map(([name]) => name);
}

test('no flipped bit makes a read return something wrong that a check would not find', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const truth = await writeOriginal(folder);
    const original = readFileSync(path);
    const marker = readFileSync(`${path}.marker`);
    let found = 0;
    for (let seed = 1; seed <= FLIPS; seed++) {
      const random = createSeededRandom(seed);
      const bytes = Buffer.from(original);
      const at = random.integer(0, bytes.length - 1);
      bytes[at]! ^= 1 << random.integer(0, 7);
      writeFileSync(path, bytes);
      writeFileSync(`${path}.marker`, marker);
      try {
        const store = await openInFolder(folder);
        try {
          const lies = liesOf(store, truth);
          const damage: Damage[] = [];
          if (lies.length > 0) for await (const each of store.checkIntegrity()) damage.push(each);
          const isNamed = damage.some((each) => each.kind !== 'collection' || each.collection !== C);
          assert.ok(lies.length === 0 || isNamed, `seed ${seed}, byte ${at}: untrue and unnoticed: ${lies.join(', ')}`);
        } finally {
          await store.close();
        }
      } catch (error) {
        if (!isEntglDbError(error, 'PERSISTENCE_ERROR')) throw error;
        found++;
      }
    }
    assert.ok(found > 0, 'no flip kept the file from opening: the test has lost its force');
  }));

test('swapped pages of two indexes are noticed at open: the indexes are rebuilt, or the file is refused', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const truth = await writeOriginal(folder);
    const original = readFileSync(path);
    const marker = readFileSync(`${path}.marker`);
    const db = new DatabaseSync(path, { readOnly: true });
    const roots = db
      .prepare("SELECT name, rootpage FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'doc'")
      .all();
    db.close();
    let mended = 0;
    for (const a of roots) {
      for (const b of roots.filter(({ name }) => name !== a.name)) {
        const bytes = Buffer.from(original);
        const [from, to] = [a, b].map(({ rootpage }) => ((rootpage as number) - 1) * PAGE_BYTES) as [number, number];
        original.copy(bytes, from, to, to + PAGE_BYTES);
        original.copy(bytes, to, from, from + PAGE_BYTES);
        writeFileSync(path, bytes);
        writeFileSync(`${path}.marker`, marker);
        try {
          const store = await openInFolder(folder);
          assert.deepEqual(liesOf(store, truth), [], `${a.name} and ${b.name}`);
          await store.close();
          mended++;
        } catch (error) {
          if (!isEntglDbError(error, 'PERSISTENCE_ERROR')) throw error;
        }
      }
    }
    assert.ok(mended > 0, 'no swap could be repaired');
  }));

test('damaged entries of a side table are left out of a page, which is filled with the next ones, and are reported', () =>
  withFolder(async (folder) => {
    const first = await openInFolder(folder);
    const ids = [1, 2, 3, 4, 5, 6];
    first.commit({ entries: ids.map((id) => ({ space: 'queue', id, data: `"${id}"` })) });
    await first.close();
    const db = new DatabaseSync(join(folder, 'test.db'));
    db.exec("UPDATE entry SET data = data || ' ' WHERE id IN (1, 2, 5)");
    db.close();
    const reported: number[] = [];
    const store = await openInFolder(folder, { onDamagedEntry: ({ id }) => reported.push(id) });
    const idsOf = (after: number, limit: number): number[] => store.entries('queue', after, limit).map(({ id }) => id);
    assert.deepEqual([idsOf(0, 2), idsOf(0, 1), idsOf(3, 9), idsOf(6, 9)], [[3, 4], [3], [4, 6], []]);
    assert.deepEqual([...new Set(reported)], [1, 2, 5]);
    const damage: Damage[] = [];
    for await (const each of store.checkIntegrity()) damage.push(each);
    assert.deepEqual(
      damage.map((each) => each.kind === 'entry' && [each.space, each.id]),
      [1, 2, 5].map((id) => ['queue', id]),
    );
    await store.close();
  }));
