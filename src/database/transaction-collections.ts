import { type CollectionName, parseCollectionName } from '../core/ids/index.ts';
import type { Collection, Transaction, TransactionCollection } from './api.ts';
import type { Document } from './document-api.ts';
import { DocumentCollection } from './document-collection.ts';
import type { DocumentCodec } from './schema/index.ts';
import type { TransactionHost } from './transaction/index.ts';

const FOREIGN = 'the collection is of another database; a transaction reads and writes its own only';

/** The argument for the function of a transaction, with collections that read and write through the transaction. */
export function transactionOn(host: TransactionHost, codecOf: (name: CollectionName) => DocumentCodec): Transaction {
  function collection<T extends object, Input extends object>(
    handle: Collection<T, Input>,
  ): TransactionCollection<T, Input>;
  function collection<T extends object = Document>(name: string): TransactionCollection<T>;
  function collection(which: Collection | string): TransactionCollection {
    if (which instanceof DocumentCollection && !which.isOf(host.base)) throw new TypeError(FOREIGN);
    if (which instanceof DocumentCollection) return new DocumentCollection(host, which.name, which.codec);
    const name = parseCollectionName(typeof which === 'string' ? which : which.name);
    return new DocumentCollection(host, name, codecOf(name));
  }
  return { collection };
}
