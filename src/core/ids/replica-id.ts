import type { Random } from './random.ts';

declare const replicaIdBrand: unique symbol;
/** Identifies one life of one database file: 128 random bits as 32 lower-case hex digits, so that text order is byte order. */
export type ReplicaId = string & { readonly [replicaIdBrand]: true };

const PATTERN = /^[0-9a-f]{32}$/;

export function createReplicaId(random: Random): ReplicaId {
  return bytesToReplicaId(random.bytes(16));
}

/** Undefined if the text is not a replica id. */
export function parseReplicaId(text: unknown): ReplicaId | undefined {
  return typeof text === 'string' && PATTERN.test(text) ? (text as ReplicaId) : undefined;
}

export function replicaIdToBytes(id: ReplicaId): Uint8Array {
  return Buffer.from(id, 'hex');
}

/** Throws a RangeError unless there are 16 bytes. */
export function bytesToReplicaId(bytes: Uint8Array): ReplicaId {
  if (bytes.length !== 16) throw new RangeError(`a replica id has 16 bytes, not ${bytes.length}`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex') as ReplicaId;
}
