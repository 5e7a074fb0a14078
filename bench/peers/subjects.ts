import { rmSync } from 'node:fs';
import type { Figures, PeerName, Prepared, Subject } from '../bench-case.ts';
import { BULK_BATCH, BULK_COUNT } from '../cases/bulk-write.ts';
import { CATCH_UP_DOCUMENTS, CHANGED } from '../cases/catch-up.ts';
import { FIRST_SYNC_DOCUMENTS } from '../cases/first-sync.ts';
import { elapsed, RANGE_DOCUMENTS, rangesOf } from '../cases/indexed-range.ts';
import { LIVE_COUNT, LIVE_DOCUMENTS, LIVE_PAUSE_MS, latencyFigures } from '../cases/live-latency.ts';
import { HOT_DOCUMENTS, keysOf, READ_DOCUMENTS } from '../cases/point-read.ts';
import { UPDATE_COUNT, UPDATE_DOCUMENTS, updatesOf } from '../cases/random-update.ts';
import { SINGLE_COUNT } from '../cases/single-write.ts';
import { ageMs, BATCH, benchDocument, documentBatches } from '../documents.ts';
import { Remote } from '../process/remote.ts';
import { intervalOf } from '../statistics.ts';
import { perSecond, timed } from '../stopwatch.ts';
import { inOwnFolder } from '../subject-folder.ts';
import { openPeer } from './open-peer.ts';
import type { PeerDatabase } from './peer-database.ts';
import type { PeerCommand, PeerState } from './peer-sender.ts';

/** The subjects of another database, by the names of the cases that it can do. */
export function peerSubjects(peer: PeerName): Readonly<Record<string, Subject>> {
  return {
    'bulk write': local(peer, 0, bulkWrite, { isFreshEachRun: true }),
    'random update': local(peer, UPDATE_DOCUMENTS, randomUpdate),
    'single write, normal': local(peer, 0, singleWrite, { isFreshEachRun: true }),
    'point read': local(peer, READ_DOCUMENTS, pointRead),
    'indexed range': local(peer, RANGE_DOCUMENTS, indexedRange),
    'first sync': synced(peer, FIRST_SYNC_DOCUMENTS, prepareFirstSync),
    'catch-up': synced(peer, CATCH_UP_DOCUMENTS, prepareCatchUp),
    'live latency, normal': synced(peer, LIVE_DOCUMENTS, prepareLive),
  };
}

function local(
  peer: PeerName,
  documents: number,
  measure: (database: PeerDatabase, round: number) => Promise<Figures>,
  { isFreshEachRun = false } = {},
): Subject {
  return async (folder) => {
    const open = (round: number) => openPeer(peer, inOwnFolder(folder, isFreshEachRun ? `run-${round}` : 'data'));
    let database = await open(0);
    for (const batch of documentBatches(documents, BATCH)) await database.write(batch);
    return {
      async run(round) {
        if (isFreshEachRun && round > 0) {
          await database.close();
          database = await open(round);
        }
        return measure(database, round);
      },
      close: () => database.close(),
    };
  };
}

async function bulkWrite(database: PeerDatabase): Promise<Figures> {
  const batches = [...documentBatches(BULK_COUNT, BULK_BATCH)];
  return { 'writes/s': await writesPerSecond(database, batches, BULK_COUNT) };
}

async function randomUpdate(database: PeerDatabase, round: number): Promise<Figures> {
  return { 'writes/s': await writesPerSecond(database, updatesOf(round), UPDATE_COUNT) };
}

async function singleWrite(database: PeerDatabase): Promise<Figures> {
  const batches = Array.from({ length: SINGLE_COUNT }, (_, i) => [benchDocument(i)]);
  return { 'writes/s': await writesPerSecond(database, batches, SINGLE_COUNT) };
}

type Batches = readonly Parameters<PeerDatabase['write']>[0][];

async function writesPerSecond(database: PeerDatabase, batches: Batches, count: number): Promise<number> {
  const start = performance.now();
  for (const batch of batches) await database.write(batch);
  return perSecond(count, performance.now() - start);
}

async function pointRead(database: PeerDatabase, round: number): Promise<Figures> {
  const read = async (keys: readonly string[]) => {
    const start = performance.now();
    for (const key of keys) await database.read(key);
    return perSecond(keys.length, performance.now() - start);
  };
  const cold = await read(keysOf(READ_DOCUMENTS, round));
  await read(keysOf(HOT_DOCUMENTS, round));
  return { 'reads/s': cold, 'reads/s, again': await read(keysOf(HOT_DOCUMENTS, round)) };
}

async function indexedRange(database: PeerDatabase, round: number): Promise<Figures> {
  if (round === 0) await database.indexPrices();
  const ms: number[] = [];
  for (const { from, to } of rangesOf(round)) {
    const start = performance.now();
    ms.push(elapsed(start, await database.priceRange(from, to)));
  }
  return { ms: intervalOf(ms).median };
}

type SendingPeer = Remote<PeerCommand, PeerState>;
type PrepareSync = (
  sender: SendingPeer,
  port: number,
  open: (round: number) => Promise<PeerDatabase>,
) => Promise<Prepared>;

/** A subject that syncs. The sender runs in a process of its own, as ours does. */
function synced(peer: PeerName, documents: number, prepare: PrepareSync): Subject {
  return async (folder) => {
    const sender: SendingPeer = new Remote(new URL('./peer-sender-main.ts', import.meta.url));
    rmSync(`${folder}/sender`, { recursive: true, force: true });
    const { port } = await sender.tell({ kind: 'open', peer, folder: inOwnFolder(folder, 'sender'), documents });
    const open = (round: number) => openPeer(peer, inOwnFolder(folder, `receiver-${round}`));
    const prepared = await prepare(sender, port, open);
    return {
      run: (round) => prepared.run(round),
      async close() {
        await prepared.close();
        await sender.close();
      },
    };
  };
}

const prepareFirstSync: PrepareSync = async (sender, port, open) => ({
  async run(round) {
    const receiver = await open(round);
    const ms = await timed(() => receiver.pull(port));
    const { bytes } = await sender.tell({ kind: 'look' });
    await receiver.close();
    return { ms, bytes };
  },
  close: async () => {},
});

const prepareCatchUp: PrepareSync = async (sender, port, open) => {
  const receiver = await open(0);
  await receiver.pull(port);
  return {
    async run(round) {
      const { bytes: before } = await sender.tell({ kind: 'update', count: CHANGED, round });
      const ms = await timed(() => receiver.pull(port));
      const { bytes } = await sender.tell({ kind: 'look' });
      return { ms, bytes: bytes - before };
    },
    close: () => receiver.close(),
  };
};

const prepareLive: PrepareSync = async (sender, port, open) => {
  const receiver = await open(0);
  return {
    async run() {
      const ages: number[] = [];
      const all = Promise.withResolvers<void>();
      const stop = await receiver.follow(port, (document) => {
        if ('at' in document) ages.push(ageMs(document.at));
        if (ages.length === LIVE_COUNT) all.resolve();
      });
      await sender.tell({ kind: 'live', count: LIVE_COUNT, pauseMs: LIVE_PAUSE_MS });
      await all.promise;
      await stop();
      return latencyFigures(ages);
    },
    close: () => receiver.close(),
  };
};
