import type { BenchDocument } from '../documents.ts';

/** `full`: fsync at each commit; `normal`: the process may die, the machine may not. */
export type Durability = 'full' | 'normal';

/** A raw layout under measurement. */
export interface RawStore {
  /** One transaction. */
  write(documents: readonly BenchDocument[]): void;
  read(key: string): string | undefined;
  /** Makes the index that `priceRange` needs; the other cases do without. */
  indexPrices(): void;
  /** JSON texts with a price in the range, cheapest first. */
  priceRange(from: number, to: number): string[];
  /** Everything written after this position, in order; a full copy from 0. */
  since(position: number, limit: number): RawChange[];
  position(): number;
  close(): void;
}

/** What travels between two raw stores: a line of JSON. */
export interface RawChange {
  readonly position: number;
  readonly key: string;
  readonly text: string;
  /** Hex digest: of the chain, or of the row. */
  readonly digest: string;
}

export interface ReceivingStore {
  /** Verifies the digests and writes what came, in one transaction. */
  receive(changes: readonly RawChange[]): void;
}
