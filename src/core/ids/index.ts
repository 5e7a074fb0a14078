export { compareBytes } from './byte-order.ts';
export {
  COLLECTION_NAME_BYTES_MAX,
  type CollectionName,
  DOCUMENT_KEY_BYTES_MAX,
  type DocumentKey,
  parseCollectionName,
  parseDocumentKey,
} from './names.ts';
export type { Random } from './random.ts';
export { bytesToReplicaId, createReplicaId, parseReplicaId, type ReplicaId, replicaIdToBytes } from './replica-id.ts';
