export { compareBytes } from './byte-order.ts';
export {
  BLOBS_COLLECTION,
  type CollectionName,
  type DocumentKey,
  fullKey,
  isReserved,
  parseCollectionName,
  parseDocumentKey,
} from './names.ts';
export type { Random } from './random.ts';
export { bytesToReplicaId, createReplicaId, parseReplicaId, type ReplicaId, replicaIdToBytes } from './replica-id.ts';
export { TimeKeys } from './time-keys.ts';
