/**
 * Goal: a blob reads as it was put, also in ranges; it is stored once, verified, and kept while any document refers to it.
 * Method: databases on both kinds of store with a manual clock, and random bytes from a seed.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { LIMITS, TIMES } from '../../core/config/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import { BLOBS_COLLECTION, type DocumentKey } from '../../core/ids/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import { createSeededRandom } from '../../testing/index.ts';
import type { LocalDatabase } from '../database.ts';
import { openOn, openTestDatabase, testOnStores, turn } from '../test-database.ts';
import type { BlobRef } from './blob-api.ts';
import { collectDaily, copyBlobs, DAY_MS } from './test-blobs.ts';

const random = createSeededRandom(5);
const BYTES = Buffer.from(random.bytes(700_000));

function blobDocuments(db: LocalDatabase): number {
  return db.collections().find(({ name }) => name === BLOBS_COLLECTION)?.documents ?? 0;
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function is(reason: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isEntglDbError(error), String(error));
    assert.equal(error.reason, reason);
    return true;
  };
}

testOnStores('a blob reads as it was put, whole and in ranges, also after the database is reopened', async (disk) => {
  let ref: BlobRef;
  {
    await using opened = await openTestDatabase(disk);
    const seen: number[] = [];
    ref = await opened.db.blobs.put(pieces(BYTES, 10_000), { type: 'image/png', onProgress: (n) => seen.push(n) });
    assert.deepEqual(ref, {
      $blob: createHash('sha256').update(BYTES).digest('hex'),
      size: BYTES.length,
      type: 'image/png',
    });
    assert.equal(seen.at(-1), BYTES.length);
  }
  await using opened = await openTestDatabase(disk);
  const { blobs } = opened.db;
  assert.deepEqual(Buffer.from(await blobs.get(ref).bytes()), BYTES);
  for (const [start, end] of [
    [0, 1],
    [0, 0],
    [99_999, 500_001],
    [699_999, 700_000],
    [700_000, 700_000],
  ] as const)
    assert.deepEqual(Buffer.from(await blobs.get(ref, { start, end }).bytes()), BYTES.subarray(start, end));
  const streamed: Uint8Array[] = [];
  for await (const chunk of blobs.get(ref, { start: 300_000 }).stream()) streamed.push(chunk);
  assert.deepEqual(Buffer.concat(streamed), BYTES.subarray(300_000));
  assert.equal(await blobs.has(ref), true);
  await assert.rejects(blobs.get(ref, { start: 5, end: 4 }).bytes(), RangeError);
  await assert.rejects(blobs.get(ref, { end: 700_001 }).bytes(), RangeError);
});

test('a blob can be empty', async () => {
  await using opened = await openTestDatabase();
  const ref = await opened.db.blobs.put(new Uint8Array());
  assert.equal(ref.size, 0);
  assert.deepEqual(await opened.db.blobs.get(ref).bytes(), new Uint8Array());
  assert.equal(await opened.db.blobs.has(ref), true);
});

test('a blob with more chunks than fit into one list has several lists', async () => {
  await using opened = await openTestDatabase();
  const { blobs } = opened.db;
  const kinds = [1, 2, 3].map((kind) => Buffer.alloc(256 * 1024, kind));
  const all = createHash('sha256');
  const source = function* () {
    for (let i = 0; i < 1030; i++) {
      all.update(kinds[i % 3]!);
      yield kinds[i % 3]!;
    }
  };
  const ref = await blobs.put(source());
  assert.equal(ref.$blob, all.digest('hex'));
  opened.db.commitPending();
  const lists = opened.db.replica.store.documents(BLOBS_COLLECTION, 'l' as DocumentKey, 10);
  assert.equal(lists.length, 2);
  assert.equal(await blobs.has(ref), true);
  const start = ref.size - 300_000;
  assert.deepEqual(
    Buffer.from(await blobs.get(ref, { start }).bytes()),
    Buffer.concat([kinds[0]!, kinds[1]!, kinds[2]!, kinds[0]!]).subarray(-300_000),
  );
  let size = 0;
  for await (const chunk of blobs.get(ref)) size += chunk.length;
  assert.equal(size, ref.size);
});

testOnStores('equal bytes are stored once, and so are the chunks that an insertion leaves unchanged', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const { blobs } = opened.db;
  await blobs.put(BYTES);
  const stored = blobDocuments(opened.db);
  const { seq } = opened.db.replica;
  await blobs.put(pieces(BYTES, 999));
  assert.equal(opened.db.replica.seq, seq, 'nothing was written again');
  await blobs.put(Buffer.concat([Buffer.from('a new head'), BYTES]));
  const added = blobDocuments(opened.db) - stored;
  assert.ok(added <= 3, `${added} documents more, the new manifest included`);
});

test('an aborted put leaves no blob, and putting the bytes again continues it', async () => {
  await using opened = await openTestDatabase();
  const { blobs } = opened.db;
  const controller = new AbortController();
  const onProgress = (bytes: number): void => {
    if (bytes > 400_000) controller.abort(new Error('enough'));
  };
  await assert.rejects(blobs.put(pieces(BYTES, 10_000), { signal: controller.signal, onProgress }), /enough/);
  await opened.db.flush();
  const { seq } = opened.db.replica;
  assert.ok(seq > 1);
  const ref = await blobs.put(BYTES);
  assert.ok(opened.db.replica.seq - seq < 6, 'only what was missing is written');
  assert.deepEqual(Buffer.from(await blobs.get(ref).bytes()), BYTES);
});

test('a signal ends a put whose source never yields again', async () => {
  await using opened = await openTestDatabase();
  const controller = new AbortController();
  let isEnded = false;
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<never>(() => {}),
      return: () => {
        isEnded = true;
        return new Promise<never>(() => {});
      },
    }),
  };
  const put = opened.db.blobs.put(source, { signal: controller.signal });
  await turn();
  controller.abort(new Error('enough'));
  await assert.rejects(put, /enough/);
  assert.ok(isEnded, 'the source is closed');
});

test('a put fails with the error of its source', async () => {
  await using opened = await openTestDatabase();
  const source = async function* () {
    yield BYTES;
    throw new Error('the cable was pulled');
  };
  await assert.rejects(opened.db.blobs.put(source()), /the cable was pulled/);
});

test('a fast source waits for the disk', async () => {
  await using opened = await openTestDatabase(undefined, { limits: { ...LIMITS, blobPutBytes: 500_000 } });
  let most = 0;
  const source = async function* () {
    for (let i = 0; i < 40; i++) {
      most = Math.max(most, opened.db.waitingWrites);
      yield random.bytes(100_000);
    }
  };
  await opened.db.blobs.put(source());
  assert.ok(most > 0 && most <= 8, `${most} writes waited`);
});

test('a put relies on what another put is writing only once it is durable', async () => {
  const store = createMemoryStore();
  await using opened = openOn(store);
  const { blobs } = opened.db;
  const isLost = Promise.withResolvers<void>();
  async function* slowly(): AsyncGenerator<Uint8Array> {
    yield BYTES.subarray(0, 600_000);
    await isLost.promise;
    yield BYTES.subarray(600_000);
  }
  store.failFlushes(1);
  const first = blobs.put(BYTES);
  const second = blobs.put(slowly());
  await assert.rejects(first, is('IO_FAILED'));
  isLost.resolve();
  await assert.rejects(second, is('IO_FAILED'));
  const ref = await blobs.put(BYTES);
  assert.equal(await blobs.has(ref), true);
});

test('reading a blob that has not fully arrived fails with the number of missing bytes', async () => {
  await using a = await openTestDatabase();
  await using b = await openTestDatabase(undefined, { seed: 2 });
  const ref = await a.db.blobs.put(BYTES);
  await assert.rejects(b.db.blobs.get(ref).bytes(), is('BLOB_NOT_FOUND'));
  assert.deepEqual(await b.db.blobs.presence(ref), { bytes: 0, size: null, isComplete: false });

  const [missing] = a.db.replica.store.documents(BLOBS_COLLECTION, 'c' as DocumentKey, 1);
  copyBlobs(a.db, b.db, (key) => key !== missing!.key);
  const presence = await b.db.blobs.presence(ref);
  assert.equal(presence.isComplete, false);
  assert.equal(presence.size, BYTES.length);
  await assert.rejects(b.db.blobs.get(ref).bytes(), (error: unknown) => {
    is('BLOB_INCOMPLETE')(error);
    assert.equal(isEntglDbError(error) && error.details.missingBytes, BYTES.length - presence.bytes);
    return true;
  });

  copyBlobs(a.db, b.db);
  assert.deepEqual(Buffer.from(await b.db.blobs.get(ref).bytes()), BYTES);
});

test('reading a chunk whose bytes do not match its hash fails', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const ref = await db.blobs.put(BYTES);
  const [chunk] = db.replica.store.documents(BLOBS_COLLECTION, 'c' as DocumentKey, 1);
  const value = `{"data":"${Buffer.from('something else').toString('base64')}"}`;
  await db.write(BLOBS_COLLECTION, [{ collection: BLOBS_COLLECTION, key: chunk!.key, value, ifVersion: undefined }]);
  await assert.rejects(db.blobs.get(ref).bytes(), is('DOCUMENT_CORRUPT'));
});

test('the collection $blobs is reserved, and get refuses a malformed reference', async () => {
  await using opened = await openTestDatabase();
  assert.throws(() => opened.db.collection('$blobs'), is('INVALID_NAME'));
  for (const $blob of ['', 'x', 7 as unknown as string, 'A'.repeat(64)])
    assert.throws(() => opened.db.blobs.get({ $blob }), is('BLOB_NOT_FOUND'));
});

test('a put fails at the start if the limits are too small for a chunk', async () => {
  await using opened = await openTestDatabase(undefined, { limits: { ...LIMITS, documentBytesMax: 100_000 } });
  await assert.rejects(opened.db.blobs.put(BYTES), is('DOCUMENT_TOO_LARGE'));
});

testOnStores(
  'a blob without a reference for the whole grace period is deleted, with the chunks that no other blob has',
  async (disk) => {
    await using opened = await openTestDatabase(disk);
    const { db } = opened;
    const kept = await db.blobs.put(BYTES, { type: 'text/plain' });
    const other = Buffer.concat([BYTES, random.bytes(300_000)]);
    const gone = await db.blobs.put(other);
    await db.collection('files').put('a', { deep: [{ file: kept }] });
    await db.collection('files').put('b', { file: gone });
    assert.equal(await collectDaily(opened, 10), 0);
    await db.collection('files').delete('b');
    assert.equal(await collectDaily(opened, 7), 0);
    assert.equal((await db.blobs.collect()).waiting, 1);
    assert.equal(await collectDaily(opened, 1), 1);
    await assert.rejects(db.blobs.get(gone).bytes(), is('BLOB_NOT_FOUND'));
    assert.deepEqual(Buffer.from(await db.blobs.get(kept).bytes()), BYTES);
    const again = await db.blobs.put(other);
    assert.deepEqual(Buffer.from(await db.blobs.get(again).bytes()), other);
  },
);

test('the grace period of a blob starts again after a new reference or another put', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const ref = await db.blobs.put(BYTES);
  await collectDaily(opened, 5);
  await db.collection('files').put('a', { file: ref });
  await collectDaily(opened, 5);
  await db.collection('files').delete('a');
  assert.equal(await collectDaily(opened, 6), 0);
  await db.blobs.put(BYTES);
  assert.equal(await collectDaily(opened, 6), 0, 'the put wrote it again, because it was old');
  assert.equal(await collectDaily(opened, 2), 1);
});

test('a clock that jumps years ahead does not end the grace period', async () => {
  await using opened = await openTestDatabase();
  const { db, clock } = opened;
  await db.blobs.put(BYTES);
  await collectDaily(opened, 1);
  clock.setWall(clock.now() + 10 * 365 * DAY_MS);
  assert.equal((await db.blobs.collect()).waiting, 1);
  assert.equal(await collectDaily(opened, 7), 1);
});

test('a put writes a chunk again only if it is older than blobRenewMs', async () => {
  await using opened = await openTestDatabase();
  const { db, clock } = opened;
  await db.blobs.put(BYTES);
  const { seq } = db.replica;
  clock.advance(TIMES.blobRenewMs - 1);
  await db.blobs.put(BYTES);
  assert.equal(db.replica.seq, seq);
  clock.advance(1);
  await db.blobs.put(BYTES);
  assert.equal(db.replica.seq, 2 * seq);
});

test('a reference in the offline queue, the conflicts or the history keeps a blob', async () => {
  for (const space of ['queue', 'conflicts', 'history'] as const) {
    await using opened = await openTestDatabase();
    const { db } = opened;
    const ref = await db.blobs.put(BYTES);
    const data = JSON.stringify({ type: 'put', collection: 'files', key: 'a', data: JSON.stringify({ file: ref }) });
    db.replica.commitEntries((draft) => draft.entry({ space, id: 1, data }));
    assert.equal(await collectDaily(opened, 20), 0, space);
    db.replica.commitEntries((draft) => draft.entry({ space, id: 1, data: null }));
    assert.equal(await collectDaily(opened, 8), 1, space);
  }
});

test('chunks that arrived before their manifest are not collected', async () => {
  await using a = await openTestDatabase();
  await using b = await openTestDatabase(undefined, { seed: 2 });
  const ref = await a.db.blobs.put(BYTES);
  copyBlobs(a.db, b.db, (key) => !key.startsWith('b'));
  assert.equal(await collectDaily(b, 20), 0);
  copyBlobs(a.db, b.db);
  assert.deepEqual(Buffer.from(await b.db.blobs.get(ref).bytes()), BYTES);
});

test('chunks of a put on this node that never finished are deleted after the grace period', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const source = async function* () {
    yield BYTES;
    throw new Error('cut');
  };
  await assert.rejects(db.blobs.put(source()), /cut/);
  await db.flush();
  assert.ok(blobDocuments(db) > 0);
  await collectDaily(opened, 8);
  assert.equal(blobDocuments(db), 0);
});

test('a reference written during a collection keeps the blob', async () => {
  await using opened = await openTestDatabase();
  const { db, clock } = opened;
  const ref = await db.blobs.put(BYTES);
  await db.collection('files').put('other', { n: 1 });
  clock.advance(DAY_MS);
  await db.blobs.collect();
  clock.advance(8 * DAY_MS);
  const collecting = db.blobs.collect();
  const written = db.collection('files').put('a', { file: ref });
  assert.equal((await collecting).blobs, 0);
  await written;
  assert.deepEqual(Buffer.from(await db.blobs.get(ref).bytes()), BYTES);
});

test('a reference that enters the offline queue, the conflicts or the history during a collection keeps the blob', async () => {
  for (const space of ['queue', 'conflicts', 'history'] as const)
    for (let turns = 0, isThere = true; isThere; turns++) {
      await using opened = await openTestDatabase();
      const { db, clock } = opened;
      const ref = await db.blobs.put(BYTES);
      clock.advance(DAY_MS);
      await db.blobs.collect();
      clock.advance(8 * DAY_MS);
      const collecting = db.blobs.collect();
      for (let i = 0; i < turns; i++) await turn();
      isThere = (await db.blobs.presence(ref)).isComplete;
      db.replica.commitEntries((draft) => draft.entry({ space, id: 1, data: JSON.stringify({ file: ref }) }));
      await collecting;
      assert.equal((await db.blobs.presence(ref)).isComplete, isThere, `${space}, after ${turns} turns`);
    }
});
