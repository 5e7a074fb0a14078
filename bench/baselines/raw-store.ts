import type { BenchDocument } from '../documents.ts';

/** `full`: fsync at each commit. `normal`: survives the death of the process, but not of the machine. */
export type Durability = 'full' | 'normal';

/** A store in a raw layout, as a baseline. */
export interface RawStore {
  /** Writes the documents in one transaction. */
  write(documents: readonly BenchDocument[]): void;
  read(key: string): string | undefined;
  /** Makes the index that `priceRange` needs; other cases do without it. */
  indexPrices(): void;
  /** The JSON texts with a price in the range, cheapest first. */
  priceRange(from: number, to: number): string[];
  /** At most `limit` changes written after this position, in order. From 0: a full copy. */
  since(position: number, limit: number): RawChange[];
  position(): number;
  close(): void;
}

/** One change as it travels between two raw stores, in JSON. */
export interface RawChange {
  readonly position: number;
  readonly key: string;
  readonly text: string;
  /** Hex digest of the chain or of the row. */
  readonly digest: string;
}

export interface ReceivingStore {
  /** Verifies the digests and writes the changes in one transaction. */
  receive(changes: readonly RawChange[]): void;
}
