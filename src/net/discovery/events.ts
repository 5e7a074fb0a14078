import type { Address } from '../transport.ts';

/** A device heard within the last 15 seconds. */
export interface DiscoveredPeer {
  readonly deviceKey: string;
  /** Opaque: a different one means that the node, or its discovery, was started again. */
  readonly startTag: string;
  /** Opaque: a different one means that the node has taken a new replica id. */
  readonly replicaTag: string;
  /** Where it can be dialled, nearest first: this host, the same subnet or link, others. At least one. */
  readonly addresses: readonly Address[];
  /** Whether it last said that it keeps every collection, and so passes on what others wrote in any of them. */
  readonly relaysAll: boolean;
  /** Its wall clock minus ours, ms, when it was last heard. */
  readonly clockOffsetMs: number;
}

export type DiscoveryEvent =
  /** A device that is new, or is heard again after 15 seconds of silence. */
  | { readonly kind: 'found'; readonly peer: DiscoveredPeer }
  /** A device that was heard before was started again. */
  | { readonly kind: 'restarted'; readonly peer: DiscoveredPeer }
  /** Its addresses, their order, or whether it relays all have changed. */
  | { readonly kind: 'moved'; readonly peer: DiscoveredPeer }
  /** A device was silent for 15 seconds, or was forgotten because the table is full. */
  | { readonly kind: 'lost'; readonly deviceKey: string }
  /**
   * Another running node uses this node's replica id, or its device key, or both (R9): a copied database or disk. Reported
   * once for each start of the other node. A node with the same device key is reported only if its beacon is dated after
   * this node's start: a replayed old beacon of this very device must not cost it its identity.
   */
  | {
      readonly kind: 'twin';
      readonly deviceKey: string;
      readonly sameReplica: boolean;
      readonly sameDevice: boolean;
      readonly address: Address;
    }
  /** A beacon of another cluster, that is, of a node with another token. Reported for each beacon, and unverified. */
  | { readonly kind: 'foreign'; readonly address: Address }
  | { readonly kind: 'interfaces-changed' };
