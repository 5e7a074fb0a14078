import type { PeerName } from '../bench-case.ts';

/** The commands to the process of the sending peer. It answers each with its state. */
export type PeerCommand =
  | { readonly kind: 'open'; readonly peer: PeerName; readonly folder: string; readonly documents: number }
  | { readonly kind: 'update'; readonly count: number; readonly round: number }
  | { readonly kind: 'live'; readonly count: number; readonly pauseMs: number }
  | { readonly kind: 'look' };

export interface PeerState {
  readonly port: number;
  readonly bytes: number;
}
