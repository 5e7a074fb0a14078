import type { DocumentKey } from '../../core/ids/index.ts';

/**
 * A set of keys of `$blobs` in about 40 bytes each: it remembers 50 bits of their hashes. Two that share them are taken for
 * one, which keeps a chunk for longer and never loses one, as `has` may say yes wrongly and never no.
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

/** A letter, then base64url of a hash. */
function numberOf(key: DocumentKey): number {
  const bits = Buffer.from(key.slice(1, 9), 'base64url').readUIntBE(0, 6);
  return key.startsWith('c') ? 4 * bits : 4 * bits + 1;
}
