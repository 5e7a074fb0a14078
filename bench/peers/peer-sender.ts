import type { PeerName } from '../bench-case.ts';

/** What the process of the sending peer is told; each is answered with its state. */
export type PeerCommand =
  | { readonly kind: 'open'; readonly peer: PeerName; readonly folder: string; readonly documents: number }
  | { readonly kind: 'update'; readonly count: number; readonly round: number }
  | { readonly kind: 'live'; readonly count: number; readonly pauseMs: number }
  | { readonly kind: 'look' };

export interface PeerState {
  readonly port: number;
  readonly bytes: number;
}
