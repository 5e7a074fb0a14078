import type { DocumentKey } from '../../core/ids/index.ts';

/**
 * A set of keys of `$blobs` that needs about 40 bytes a key, because it keeps only 48 bits of each hash. So `has` may be
 * true for a key that was not added, never false for one that was.
 */
export class KeySet {
  readonly #numbers = new Set<number>();

  add(key: DocumentKey): void {
    this.#numbers.add(numberOf(key));
  }

  has(key: DocumentKey): boolean {
    return this.#numbers.has(numberOf(key));
  }
}

/** A key is a letter, `c` or `l`, followed by a hash in base64url. */
function numberOf(key: DocumentKey): number {
  const bits = Buffer.from(key.slice(1, 9), 'base64url').readUIntBE(0, 6);
  return key.startsWith('c') ? 4 * bits : 4 * bits + 1;
}
