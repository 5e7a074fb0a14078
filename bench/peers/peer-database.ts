import type { BenchDocument } from '../documents.ts';

/** Another database with its usual settings, as the cases use it. */
export interface PeerDatabase {
  /** Writes one batch. Existing documents are replaced. */
  write(documents: readonly BenchDocument[]): Promise<void>;
  read(key: string): Promise<object>;
  indexPrices(): Promise<void>;
  /** The documents with a price in the range, cheapest first. */
  priceRange(from: number, to: number): Promise<readonly object[]>;
  /** Lets others replicate from it over loopback. */
  serve(): Promise<PeerServer>;
  /** Resolves when everything that the server has is here. */
  pull(port: number): Promise<void>;
  /** Follows the server, and calls `onDocument` with each document that comes. Resolves with a function that stops it. */
  follow(port: number, onDocument: (document: object) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface PeerServer {
  readonly port: number;
  /** Bytes over all connections so far, both ways. */
  bytes(): number;
  close(): Promise<void>;
}
