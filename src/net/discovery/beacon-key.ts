import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** What the beacons of one cluster key are made with. `id` helps nobody to find the cluster key or to forge a beacon. */
export interface BeaconKey {
  /** 16 hex digits, in clear text in each beacon: selects the key, and lets beacons of other clusters be dropped cheaply. */
  readonly id: string;
  /** Key objects, because from bytes Node would import the key for each HMAC, at nine times the cost of the HMAC itself. */
  readonly mac: KeyObject;
  readonly tag: KeyObject;
}

export const KEY_ID_BYTES = 8;
export const TAG_BYTES = 8;

/** Derives the beacon keys from the cluster key (HKDF-SHA256, RFC 5869). No key reveals anything about another. */
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
 * A replica id or id of a start in a form that only members of the cluster recognise, 16 hex digits. Without the key, a tag
 * can be linked neither to its id nor to the tag of the same id under another key. `kind` is hashed, so it keeps the word of
 * the first release: `life` is a start.
 */
export function beaconTag(key: BeaconKey, kind: 'life' | 'replica', text: string): string {
  const digest = createHmac('sha256', key.tag).update(`${kind}\0${text}`).digest();
  return digest.subarray(0, TAG_BYTES).toString('hex');
}
