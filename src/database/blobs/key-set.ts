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

const LETTERS = 'clb';

/** A key is one of these letters, followed by a hash in base64url or, after `b`, in hex. */
function numberOf(key: DocumentKey): number {
  const bits = Buffer.from(key.slice(1, 9), 'base64url').readUIntBE(0, 6);
  return 4 * bits + LETTERS.indexOf(key[0]!);
}
