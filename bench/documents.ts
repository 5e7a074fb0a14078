import { createSeededRandom } from '../src/testing/index.ts';

export interface BenchDocument {
  readonly key: string;
  /** About 250 bytes of JSON. */
  readonly text: string;
}

export const COLLECTION = 'articles';
/** Prices are spread evenly over 0 … this: a range of 5 % is a range of prices. */
export const PRICE_MAX = 10_000;

/** The same documents in every run: an article as a till has it. `revision` makes another content under the same key. */
export function benchDocument(index: number, revision = 0): BenchDocument {
  const value = {
    name: `Article ${index}`,
    ean: String(4_000_000_000_000 + index * 7919),
    price: (index * 7919) % PRICE_MAX,
    stock: (index * 31 + revision) % 500,
    group: `group-${index % 40}`,
    isActive: index % 7 !== 0,
    supplier: { id: index % 300, name: `Supplier ${index % 300}`, city: 'Vicenza' },
    note: 'Keep cool and dry; sold by the piece, returned within fourteen days',
    revision,
  };
  return { key: `article-${String(index).padStart(8, '0')}`, text: JSON.stringify(value) };
}

export function benchDocuments(count: number, first = 0): BenchDocument[] {
  return Array.from({ length: count }, (_, i) => benchDocument(first + i));
}

/** `count` picks of 0 … `below` − 1, the same for the same round. */
export function randomIndexes(count: number, below: number, round: number): number[] {
  const random = createSeededRandom(round + 1);
  const bytes = random.bytes(count * 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, i) => view.getUint32(i * 4) % below);
}
