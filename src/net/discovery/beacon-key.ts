import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** What beacons of one cluster key are made with. Knowing `id` helps nobody to find the cluster key or to forge a beacon. */
export interface BeaconKey {
  /** 16 hex digits, in clear in each beacon: finds the right key, and drops beacons of other clusters for nothing. */
  readonly id: string;
  /** Key objects: with bytes, Node would import the key for each HMAC, which costs nine times the HMAC itself. */
  readonly mac: KeyObject;
  readonly tag: KeyObject;
}

export const KEY_ID_BYTES = 8;
export const TAG_BYTES = 8;

/** Keys for beacons from the cluster key (HKDF-SHA256, RFC 5869): none of them tells anything about another. */
export function deriveBeaconKey(clusterKey: Uint8Array): BeaconKey {
  const derive = (purpose: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', clusterKey, 'entgldb beacon 1', purpose, bytes));
  return {
    id: derive('id', KEY_ID_BYTES).toString('hex'),
    mac: createSecretKey(derive('mac', 32)),
    tag: createSecretKey(derive('tag', 32)),
  };
}

/**
 * A replica id or life nonce as members of the cluster recognise it, 16 hex digits: who lacks the key can neither link it to
 * the id that it stands for, nor to the same id under another key.
 */
export function beaconTag(key: BeaconKey, kind: 'life' | 'replica', text: string): string {
  const digest = createHmac('sha256', key.tag).update(`${kind}\0${text}`).digest();
  return digest.subarray(0, TAG_BYTES).toString('hex');
}
