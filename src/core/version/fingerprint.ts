/**
 * Fingerprint of a set of versions: their count and the sum of their digests in four 32-bit lanes. It does not depend on
 * order and is updated with every change. It is a sum rather than an XOR so that pairs do not cancel out (as in negentropy).
 */
export interface Fingerprint {
  readonly count: number;
  /** Four unsigned 32-bit sums. */
  readonly lanes: readonly [number, number, number, number];
}

export const EMPTY_FINGERPRINT: Fingerprint = Object.freeze({ count: 0, lanes: Object.freeze([0, 0, 0, 0] as const) });

/** A fingerprint to which versions are added and from which they are removed without allocating. */
export class FingerprintSum {
  #count: number;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(from: Fingerprint = EMPTY_FINGERPRINT) {
    this.#count = from.count;
    [this.#a, this.#b, this.#c, this.#d] = from.lanes;
  }

  add(digest: Uint8Array): void {
    this.#count++;
    this.#a = (this.#a + lane(digest, 0)) >>> 0;
    this.#b = (this.#b + lane(digest, 4)) >>> 0;
    this.#c = (this.#c + lane(digest, 8)) >>> 0;
    this.#d = (this.#d + lane(digest, 12)) >>> 0;
  }

  remove(digest: Uint8Array): void {
    this.#count--;
    this.#a = (this.#a - lane(digest, 0)) >>> 0;
    this.#b = (this.#b - lane(digest, 4)) >>> 0;
    this.#c = (this.#c - lane(digest, 8)) >>> 0;
    this.#d = (this.#d - lane(digest, 12)) >>> 0;
  }

  value(): Fingerprint {
    return { count: this.#count, lanes: [this.#a, this.#b, this.#c, this.#d] };
  }
}

export function isSameFingerprint(a: Fingerprint, b: Fingerprint): boolean {
  return a.count === b.count && a.lanes.every((sum, i) => sum === b.lanes[i]);
}

/** 24 bytes: count as a 64-bit integer, then the lanes, big-endian. */
export function fingerprintToBytes(fingerprint: Fingerprint): Uint8Array {
  const bytes = Buffer.alloc(24);
  bytes.writeBigUInt64BE(BigInt(fingerprint.count), 0);
  fingerprint.lanes.forEach((sum, i) => {
    bytes.writeUInt32BE(sum, 8 + 4 * i);
  });
  return bytes;
}

/** Undefined if the bytes are not a fingerprint. */
export function bytesToFingerprint(bytes: Uint8Array): Fingerprint | undefined {
  if (bytes.length !== 24) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 24);
  const count = Number(view.getBigUint64(0));
  if (!Number.isSafeInteger(count)) return undefined;
  return { count, lanes: [view.getUint32(8), view.getUint32(12), view.getUint32(16), view.getUint32(20)] };
}

/** Short text for logs and screens: 12 hex digits. */
export function fingerprintText(fingerprint: Fingerprint): string {
  return Buffer.from(fingerprintToBytes(fingerprint)).toString('hex', 8, 14);
}

function lane(digest: Uint8Array, at: number): number {
  return ((digest[at]! << 24) | (digest[at + 1]! << 16) | (digest[at + 2]! << 8) | digest[at + 3]!) >>> 0;
}
