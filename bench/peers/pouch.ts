import { join } from 'node:path';
import PouchDB from 'pouchdb';
import find from 'pouchdb-find';
import { BATCH, PRICE_MAX } from '../documents.ts';
import type { PeerDatabase } from './peer-database.ts';
import { servePouch } from './pouch-server.ts';

PouchDB.plugin(find);

interface Stored {
  readonly _id: string;
  readonly _rev?: string;
}

/** PouchDB on LevelDB, whose binding comes prebuilt. LevelDB hands each batch to the system, but does not sync the disk. */
export async function openPouch(folder: string): Promise<PeerDatabase> {
  const db = new PouchDB<object>(join(folder, 'pouch'));
  const revisions = new Map<string, string>();
  return {
    async write(documents) {
      const docs = documents.map(({ key, text }): Stored => {
        const rev = revisions.get(key);
        return { ...(JSON.parse(text) as object), _id: key, ...(rev === undefined ? {} : { _rev: rev }) };
      });
      for (const result of await db.bulkDocs(docs)) {
        if (!('ok' in result)) throw new Error(`PouchDB refused a document: ${JSON.stringify(result)}`);
        revisions.set(result.id!, result.rev!);
      }
    },
    read: (key) => db.get(key),
    indexPrices: async () => {
      await db.createIndex({ index: { fields: ['price'] } });
      await db.find({ selector: { price: { $gte: PRICE_MAX } } }); // builds the index
    },
    async priceRange(from, to) {
      const selector = { price: { $gte: from, $lt: to } };
      const { docs } = await db.find({ selector, sort: ['price'], limit: Number.MAX_SAFE_INTEGER });
      return docs;
    },
    serve: () => servePouch(db),
    pull: async (port) => void (await db.replicate.from(urlOf(port), { batch_size: BATCH })),
    async follow(port, onDocument) {
      const changes = db.changes({ since: 'now', live: true, include_docs: true });
      changes.on('change', ({ doc }) => doc && onDocument(doc));
      const replication = db.replicate.from(urlOf(port), { live: true, retry: true, batch_size: BATCH });
      await new Promise<void>((resolve) => void replication.once('paused', () => resolve()));
      return async () => {
        changes.cancel();
        replication.cancel();
      };
    },
    close: () => db.close(),
  };
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}/articles`;
}
