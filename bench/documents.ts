import { createSeededRandom } from '../src/testing/index.ts';

export interface BenchDocument {
  readonly key: string;
  /** About 250 bytes of JSON. */
  readonly text: string;
}

export const COLLECTION = 'articles';
/** How many documents every subject writes, sends or asks for at once. */
export const BATCH = 1000;
/** Prices are spread evenly from 0 to below this, so that 5 % of the prices are 5 % of the documents. */
export const PRICE_MAX = 10_000;

/** An article as a till has it, the same in every run. Another `revision` has other contents under the same key. */
export function benchDocument(index: number, revision = 0): BenchDocument {
  const value = {
    name: `Article ${index}`,
    ean: String(4_000_000_000_000 + index * 7919),
    price: (index * 7919) % PRICE_MAX,
    stock: (index * 31 + revision) % 500,
    group: `group-${index % 40}`,
    isActive: index % 7 !== 0,
    supplier: { id: index % 300, name: `Supplier ${index % 300}`, city: 'Vicenza' },
    note: noteOf(index, revision),
    revision,
  };
  return { key: `article-${String(index).padStart(8, '0')}`, text: JSON.stringify(value) };
}

const WORDS =
  'keep cool dry sold piece returned within fourteen days fragile red blue green large small pack box glass steel wood organic local fresh frozen spare part left right upper lower inner outer old new'.split(
    ' ',
  );

/** About seventy letters that compress no better than what people write. */
function noteOf(index: number, revision: number): string {
  let state = Math.imul(index + 1, 2654435761) ^ Math.imul(revision + 1, 40503);
  const words = Array.from({ length: 11 }, () => {
    state = Math.imul(state ^ (state >>> 15), 2246822519) + 374761393;
    return WORDS[(state >>> 8) % WORDS.length];
  });
  return `${words.join(' ')} ${(state >>> 0).toString(36)}`;
}

export function benchDocuments(count: number, first = 0): BenchDocument[] {
  return Array.from({ length: count }, (_, i) => benchDocument(first + i));
}

/** The same documents in batches, made lazily: a million at once would not fit into a small heap. */
export function* documentBatches(count: number, batch: number): Generator<BenchDocument[]> {
  for (let first = 0; first < count; first += batch) yield benchDocuments(Math.min(batch, count - first), first);
}

/** `count` random integers of 0 … `below` − 1, always the same in the same round. */
export function randomIndexes(count: number, below: number, round: number): number[] {
  const random = createSeededRandom(round + 1);
  const bytes = random.bytes(count * 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, i) => view.getUint32(i * 4) % below);
}

/** A document of about 1 KiB. */
export function largeDocument(index: number, revision = 0): BenchDocument {
  const { key, text } = benchDocument(index, revision);
  const notes = Array.from({ length: 10 }, (_, i) => noteOf(index * 10 + i, revision));
  return { key, text: JSON.stringify({ ...(JSON.parse(text) as object), notes }) };
}

/** The document of a live write. It carries the machine's monotonic clock, which all processes share. */
export function liveText(): string {
  return JSON.stringify({ at: String(process.hrtime.bigint()), note: 'x'.repeat(200) });
}

/** Milliseconds since the moment that a live document carries. */
export function ageMs(at: unknown): number {
  return Number(process.hrtime.bigint() - BigInt(String(at))) / 1e6;
}
