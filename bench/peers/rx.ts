import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRxDatabase, type RxJsonSchema } from 'rxdb/plugins/core';
import { replicateWithWebsocketServer, startWebsocketServer } from 'rxdb/plugins/replication-websocket';
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory';
import { BATCH, COLLECTION, PRICE_MAX } from '../documents.ts';
import { countedBytes } from './counted-bytes.ts';
import type { PeerDatabase } from './peer-database.ts';

const KEY_LENGTH_MAX = 64;

interface Article {
  readonly key: string;
  readonly price: number;
}

/** The index on prices exists from the beginning, because RxDB takes it from the schema. */
const SCHEMA: RxJsonSchema<Article> = {
  version: 0,
  primaryKey: 'key',
  type: 'object',
  properties: {
    key: { type: 'string', maxLength: KEY_LENGTH_MAX },
    price: { type: 'integer', minimum: 0, maximum: PRICE_MAX, multipleOf: 1 },
  },
  required: ['key', 'price'],
  indexes: ['price'],
};

let opened = 0;

/** RxDB in memory, not durable: its open-source storages that keep files in Node are for trial or need a server. */
export async function openRx(): Promise<PeerDatabase> {
  const database = await createRxDatabase({
    name: `bench${opened++}-${process.pid}`,
    storage: getRxStorageMemory(),
    multiInstance: false,
    eventReduce: false,
  });
  const { [COLLECTION]: articles } = await database.addCollections({ [COLLECTION]: { schema: SCHEMA } });
  if (!articles) throw new Error('RxDB made no collection');
  const replicate = (port: number, live: boolean) =>
    replicateWithWebsocketServer({
      collection: articles,
      replicationIdentifier: 'bench',
      url: `ws://127.0.0.1:${port}`,
      batchSize: BATCH,
      live,
    });
  return {
    async write(documents) {
      const values = documents.map(({ key, text }) => ({ price: 0, ...(JSON.parse(text) as object), key }));
      const { error } = await articles.bulkUpsert(values);
      if (error.length > 0) throw new Error(`RxDB refused a document: ${JSON.stringify(error[0])}`);
    },
    async read(key) {
      const document = await articles.findOne(key).exec(true);
      return document.toJSON();
    },
    indexPrices: async () => {},
    async priceRange(from, to) {
      const query = articles.find({ selector: { price: { $gte: from, $lt: to } }, sort: [{ price: 'asc' }] });
      return (await query.exec()).map((document) => document.toJSON());
    },
    async serve() {
      const state = startWebsocketServer({ database, port: 0, host: '127.0.0.1' });
      const server = (state.server as unknown as { readonly _server: Server })._server;
      const bytes = countedBytes(server);
      if (!server.listening) await once(server, 'listening');
      return { port: (server.address() as AddressInfo).port, bytes, close: () => state.close() };
    },
    async pull(port) {
      const replication = await replicate(port, false);
      await replication.awaitInitialReplication();
      await replication.cancel();
    },
    async follow(port, onDocument) {
      const replication = await replicate(port, true);
      await replication.awaitInitialReplication();
      const changes = articles.$.subscribe(({ documentData }) => onDocument(documentData));
      return async () => {
        changes.unsubscribe();
        await replication.cancel();
      };
    },
    close: async () => void (await database.close()),
  };
}
