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
    if (which instanceof DocumentCollection && which.isOf(host.base))
      return new DocumentCollection(host, which.name, which.codec);
    // Anything else with a name, such as a collection of a second copy of the package, is not of this database either.
    if (typeof which === 'object' && which !== null) throw new TypeError(FOREIGN);
    const name = parseCollectionName(which);
    return new DocumentCollection(host, name, codecOf(name));
  }
  return { collection };
}
