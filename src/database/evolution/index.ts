export { EvolvedQuery } from './evolved-query.ts';
export {
  Evolution,
  type Migration,
  type Migrations,
  type Shaped,
  takeVersion,
  VERSION_FIELD,
  withVersion,
} from './migrations.ts';
export { notOlderThan, OlderDocuments, olderThan } from './older-documents.ts';
