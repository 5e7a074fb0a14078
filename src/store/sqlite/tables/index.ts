export { ChainRows } from './chain-rows.ts';
export {
  type CollectionDictionary,
  createCollectionDictionary,
  createReplicaDictionary,
  type ReplicaDictionary,
} from './dictionary.ts';
export { DocumentTable } from './document-table.ts';
export { entrySum } from './entry-sum.ts';
export { GoneTable } from './gone-table.ts';
export { type HeldIndex, IndexRows } from './index-rows.ts';
export { IndexTable } from './index-table.ts';
export { IndexWork } from './index-work.ts';
export { areLastRowsIndexed } from './indexed-rows.ts';
export { LIMITED } from './limited.ts';
export { DOCUMENT_COLUMNS } from './row-codec.ts';
export { APPLICATION_ID, FORMAT, FORMAT_NUMBERS, formatOf, migrate } from './schema.ts';
export { EntryTable, MetaTable } from './side-tables.ts';
export { StateRows } from './state-rows.ts';
export { StateTable } from './state-table.ts';
export { StatementCache } from './statement-cache.ts';
