import type { BenchDocument } from '../documents.ts';

/** Another database, at what it calls normal, as the cases use it. */
export interface PeerDatabase {
  /** One batch; documents that are there are replaced. */
  write(documents: readonly BenchDocument[]): Promise<void>;
  read(key: string): Promise<object>;
  indexPrices(): Promise<void>;
  /** Documents with a price in the range, cheapest first. */
  priceRange(from: number, to: number): Promise<readonly object[]>;
  /** Lets others replicate from it over loopback. */
  serve(): Promise<PeerServer>;
  /** Resolves when everything that the server has is here. */
  pull(port: number): Promise<void>;
  /** Follows the server; calls with each document that came. */
  follow(port: number, onDocument: (document: object) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface PeerServer {
  readonly port: number;
  /** Bytes over all connections so far, both ways. */
  bytes(): number;
  close(): Promise<void>;
}
